"""What an answer to a send means: looks up its row in the failure model. Decides from the answer alone."""

import re
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

from agents.steps.judge import DETAIL_CHARACTERS_MAX, Misconfigured, Refused, TooFast
from schemas import failure_model, send_failures
from schemas.answer import Answer, NoAnswer
from schemas.send_memory import SendKind

_ID: Final[dict[SendKind, str]] = {"message": "delivery_id", "trigger": "id"}
TEXT_CHARACTERS_MAX: Final = 4 * DETAIL_CHARACTERS_MAX
"""So much of each of Customer.io's texts is looked at: it may quote a whole message."""

# Those texts may quote an address or a number. Each run of letters is gone through from its start only.
_ADDRESS: Final = re.compile(r"(?<!\S)\S+@\S+")
_NUMBER: Final = re.compile(r"\+?\d[\d ()-]{5,}\d")


@dataclass(frozen=True, slots=True)
class Sent:
    """It was taken; Customer.io calls it `delivery_id`."""

    delivery_id: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may or may not have gone out."""

    cause: str
    retry_after_s: float | None = None

    @property
    def detail(self) -> str:
        """What a person reads who decides whether to send it again; no field is at fault, so none is named."""
        return f"{self.cause}, so it may or may not have gone out"


@dataclass(frozen=True, slots=True)
class NotSent:
    """It certainly did not go out: the request never left, or not whole."""

    cause: str


SendJudgement: TypeAlias = Sent | Refused | Ambiguous | NotSent | TooFast | Misconfigured


def judge_send(answer: Answer | NoAnswer, kind: SendKind) -> SendJudgement:
    """What the answer means for this one send."""
    if isinstance(answer, NoAnswer):
        return Ambiguous(answer.cause) if answer.is_out else NotSent(answer.cause)
    cause = f"HTTP {answer.status}"
    if failure_model.is_success(answer.status):
        delivery_id = _id_in(answer.body, kind)
        return Ambiguous(f"{cause} with an unreadable body") if delivery_id is None else Sent(delivery_id)
    row = send_failures.row_of_send(answer.status)
    match row.action:
        case "refuse":
            return Refused(_detail(answer.body) or cause)
        case "slow_down":
            return TooFast(answer.retry_after_s)
        case "set_aside":
            return Ambiguous(cause, answer.retry_after_s)
        case _:
            return Misconfigured("credentials" if row is send_failures.SEND_CREDENTIALS else "address", cause)


def works(answer: Answer | NoAnswer) -> bool:
    """Whether the answer to a harmless read shows that the API is there, and knows us."""
    if isinstance(answer, NoAnswer):
        return False
    return failure_model.is_success(answer.status) or send_failures.row_of_send(answer.status).action == "refuse"


def _id_in(body: bytes, kind: SendKind) -> str | None:
    told = _object(body)
    found = told.get(_ID[kind]) if told else None
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        return None
    return str(found)[:DETAIL_CHARACTERS_MAX]


def _detail(body: bytes) -> str:
    """`{"meta": {"error": "…"}}`, or `{"errors": [{"detail": "…"}]}`, without what is about a person."""
    told = _object(body) or {}
    meta, errors = told.get("meta"), told.get("errors")
    texts = [meta.get("error")] if isinstance(meta, dict) else []
    if isinstance(errors, list):
        texts += [error.get("detail") for error in errors if isinstance(error, dict)]
    shown = "; ".join(_impersonal(text) for text in texts if isinstance(text, str))
    return shown[:DETAIL_CHARACTERS_MAX]


def _impersonal(text: str) -> str:
    beginning = text[:TEXT_CHARACTERS_MAX]
    if len(text) > len(beginning):
        beginning = beginning.rpartition(" ")[0]  # the last word may be half an address
    return _NUMBER.sub("***", _ADDRESS.sub("***", beginning))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None
