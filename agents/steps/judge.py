"""Whose fault an answer of the Track API is, and so what to do: looks up its row in the failure model.

Decides from the answer alone; how often and when to try again is the sender's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

import orjson

from schemas import failure_model
from schemas.answer import Answer, NoAnswer
from schemas.failure_model import Body

DETAIL_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Accepted:
    """Everything was taken, but for the items in `refused`: index to why."""

    refused: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Refused:
    """The request as a whole: one of its items is at fault, or the only one."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Some items were refused, but not told which: send each alone."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """A fault of theirs or of the way: time-out, reset, 408, 5xx."""

    cause: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class TooFast:
    """429: a fault of ours that uses up no attempts."""

    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class NotFound:
    """404: one of the items is at fault if the API is where we look for it, otherwise the URL is wrong."""

    detail: str


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """Nothing can be delivered until a person mends it; `reason` is `credentials` or `address`."""

    reason: str
    cause: str


Judgement: TypeAlias = Accepted | Refused | Unclear | TryAgain | TooFast | NotFound | Misconfigured

_ALL = Accepted({})


def judge(answer: Answer | NoAnswer, items: int) -> Judgement:
    """What `answer` to a request with `items` operations means."""
    if isinstance(answer, NoAnswer):
        return TryAgain(answer.cause)
    if failure_model.is_success(answer.status):
        return _judge_items(answer, items)
    return _judge_whole(answer)


def _judge_whole(answer: Answer) -> Judgement:
    cause = f"HTTP {answer.status}"
    row = failure_model.row_of_status(answer.status)
    match row.action:
        case "halve":
            return Refused(_describe(_errors(answer.body) or []) or cause)
        case "ask_region":
            return NotFound(_describe(_errors(answer.body) or []) or cause)
        case "slow_down":
            return TooFast(answer.retry_after_s)
        case "retry":
            return TryAgain(cause, answer.retry_after_s)
        case _:
            return Misconfigured("credentials" if row is failure_model.CREDENTIALS else "address", cause)


def _judge_items(answer: Answer, items: int) -> Judgement:
    body, refused = _read(answer, items)
    row = failure_model.row_of_body(body)
    match row.action:
        case "deliver":
            return _ALL
        case "refuse_items":
            return Accepted(refused)
        case "send_alone":
            return Unclear()
        case _:
            return TryAgain(f"HTTP {answer.status} with an unreadable body")


def _read(answer: Answer, items: int) -> tuple[Body, Mapping[int, str]]:
    """What a success says of its items, and why which were refused."""
    errors = _errors(answer.body)
    if not errors and answer.status == HTTPStatus.MULTI_STATUS:
        return ("unclear" if items > 1 else "unreadable"), {}
    if errors is None:
        return "unreadable", {}
    refused: dict[int, str] = {}
    for error in errors:
        index = error.get("batch_index") if items > 1 or "batch_index" in error else 0
        if type(index) is not int or not 0 <= index < items or index in refused:
            return "unclear", {}
        refused[index] = _describe([error])
    return ("names_items" if refused else "clean"), refused


def _errors(body: bytes) -> list[dict[str, Any]] | None:
    """The errors of a v2 answer, or of a v1 answer in the same form; None when the body cannot be read."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(parsed, dict):
        return None
    errors = parsed.get("errors")
    if errors is None:  # left out, or null
        errors = []
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        return None
    return errors + [{"message": text} for text in _v1_messages(parsed.get("meta"))]


def _v1_messages(meta: object) -> list[str]:
    """Track v1 says `{"meta": {"error": "…"}}` or `{"meta": {"errors": ["…"]}}`."""
    if not isinstance(meta, dict):
        return []
    messages = meta.get("errors")
    return [text for text in (messages if isinstance(messages, list) else [meta.get("error")]) if isinstance(text, str)]


def _describe(errors: list[dict[str, Any]]) -> str:
    """`reason field: message` of each; Customer.io's texts name fields and limits, not content."""
    texts = []
    for error in errors:
        where = " ".join(part for part in (_text(error, "reason"), _text(error, "field")) if part)
        texts.append(": ".join(part for part in (where, _text(error, "message")) if part))
    return "; ".join(texts)[:DETAIL_CHARACTERS_MAX]


def _text(error: Mapping[str, Any], name: str) -> str:
    """A text or a number as it is; anything else may be too deep for `str`, and says nothing to a person."""
    value = error.get(name)
    return str(value) if type(value) in {str, int, float} else ""
