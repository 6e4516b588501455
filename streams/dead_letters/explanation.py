"""All that is known of one letter, ready to be shown: what it was, what was sent, what came back, what was decided."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, cast

from pydantic_core import from_json

from agents.steps.report import iso_utc
from schemas.dead_letter import DeadLetter, without_ours
from schemas.decision import Decision
from schemas.outcome import DeadReason
from schemas.record import Header
from streams.dead_letters.edited import Edited
from streams.dead_letters.field_search import Position, find_field, names_key
from streams.dead_letters.letter import Letter
from streams.dead_letters.masking import Json, masked, masked_text, outlined, shown_id, shown_message
from streams.dead_letters.sent_operations import sent_operations
from streams.plural import so_many
from streams.settings import Settings

BINARY_SHOWN: Final = 65_536
TEXT_SHOWN: Final = 1_048_576
_CHARACTER: Final = re.compile(r"is not JSON \(character (\d{1,9})\)")
_YEAR_10000_MS: Final = 253_402_300_800_000

IN_WORDS: Final[dict[DeadReason, str]] = {
    "malformed": "it could not be understood, so nothing was sent",
    "too_large": "it is larger than Customer.io takes, so nothing was sent",
    "rejected": "Customer.io refused this very record",
    "retries_exhausted": "every attempt failed, while Customer.io answered others",
    "ambiguous_send": "it may have gone out or not, and is never sent again by itself",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A key's or a record's bytes as they are shown: JSON as `tree`, text as `text`, which else is hex, if anything.

    `fault_at` is the character of a text with which it ends to be JSON.
    """

    form: Literal["null", "json", "text", "binary"]
    size: int
    tree: Json = None
    text: str | None = None
    fault_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Masked already, unless it is to be revealed. `field` is the place of the field that the message is about."""

    found: Letter
    user_id: str | None
    event_id: str | None
    message: str
    key: Content
    value: Content
    headers: Sequence[tuple[str, str | None]]
    field: Position | None
    is_key_at_fault: bool
    operations: Sequence[Json]
    history: Sequence[Decision]
    edits: Sequence[Edited]

    @property
    def first_seen(self) -> str | None:
        """When Kafka had the record first."""
        first_ms = self.found.letter.timestamp_ms
        return None if first_ms is None or not 0 <= first_ms < _YEAR_10000_MS else iso_utc(first_ms)

    def told(self) -> dict[str, Any]:
        """All of it as one JSON object."""
        letter = self.found.letter
        return {
            "letter": str(letter.name),
            "state": self.found.state,
            **letter.origin._asdict(),
            "first_seen": self.first_seen,
            "user_id": self.user_id,
            "key": self.key.text,
            "key_form": self.key.form,
            "key_bytes": self.key.size,
            "value": self.value.tree,
            "value_form": self.value.form,
            "value_bytes": self.value.size,
            "value_text": self.value.text if self.value.form == "text" else None,
            "value_hex": self.value.text if self.value.form == "binary" else None,
            "headers": [{"name": name, "value": value} for name, value in self.headers],
            "reason": letter.reason,
            "explanation": IN_WORDS[letter.reason],
            "message": self.message,
            "field": None if self.field is None else names_at(self.value.tree, self.field),
            "status": letter.status,
            "attempts": letter.attempts,
            "failed_at": letter.failed_at,
            "fingerprint": letter.fingerprint,
            "event_id": self.event_id,
            "replays": letter.replays,
            "operations": list(self.operations),
            "decisions": [asdict(decision) for decision in self.history],
            "edits": [asdict(edited) for edited in self.edits],
        }


def explain(
    found: Letter, settings: Settings, history: Sequence[Decision], *, edits: Sequence[Edited] = (), reveal: bool
) -> Explanation:
    """Gather it, masked unless `reveal`, as the edits are already."""
    letter = found.letter
    tree = _json_of(letter.value)
    operations = sent_operations(letter, settings)
    return Explanation(
        found=found,
        user_id=_id(found.user_id, reveal=reveal),
        event_id=_id(letter.event_id, reveal=reveal),
        message=letter.message if reveal else shown_message(letter.message),
        key=_key(letter, reveal=reveal),
        value=_value(letter, tree, reveal=reveal),
        headers=[_header(each, reveal=reveal) for each in without_ours(letter.headers)],
        field=find_field(tree[0], letter.message) if tree else None,
        is_key_at_fault=names_key(letter.message),
        operations=operations if reveal else [masked(each) for each in operations],
        history=history,
        edits=edits,
    )


def names_at(tree: Json, position: Position) -> list[str | int]:
    """The names on the way to a place."""
    names: list[str | int] = []
    for at in position:
        if isinstance(tree, dict):
            name = list(tree)[at]
            names.append(name)
            tree = tree[name]
        elif isinstance(tree, list):
            names.append(at)
            tree = tree[at]
    return names


def _id(text: str | None, *, reveal: bool) -> str | None:
    return text if reveal or text is None else shown_id(text)


def _key(letter: DeadLetter, *, reveal: bool) -> Content:
    if letter.key is None:
        return Content(form="null", size=0)
    text = _text_of(letter.key)
    if text is None:
        return _binary(letter.key, reveal=reveal)
    return Content(form="text", size=len(letter.key), text=text if reveal else shown_id(text))


def _value(letter: DeadLetter, tree: tuple[Json] | None, *, reveal: bool) -> Content:
    value = letter.value
    if value is None:
        return Content(form="null", size=0)
    if tree is not None:
        return Content(form="json", size=len(value), tree=tree[0] if reveal else masked(tree[0]))
    text = _text_of(value)
    if text is None:
        return _binary(value, reveal=reveal)
    found = _CHARACTER.search(letter.message)
    start = text[:TEXT_SHOWN]
    return Content(
        form="text",
        size=len(value),
        text=start if reveal else outlined(start),
        fault_at=int(found[1]) if found else None,
    )


def _binary(content: bytes, *, reveal: bool) -> Content:
    return Content(form="binary", size=len(content), text=content[:BINARY_SHOWN].hex() if reveal else None)


def _header(header: Header, *, reveal: bool) -> tuple[str, str | None]:
    name, value = header
    if value is None:
        return name, None
    text = _text_of(value)
    if reveal:
        return name, value.hex() if text is None else text
    return shown_id(name), f"*** ({so_many(len(value), 'byte')})" if text is None else masked_text(text)


def _json_of(value: bytes | None) -> tuple[Json] | None:
    """The JSON in a tuple, for it may be null; None where it is none."""
    try:
        tree = from_json(value or b"", allow_inf_nan=False)
        json.dumps(tree, allow_nan=False)  # a number beyond all bounds has been read as infinite
    except ValueError:
        return None
    return (cast(Json, tree),)


def _text_of(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
