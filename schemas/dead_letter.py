"""A dead letter: the record that was set aside, and what its headers say of why; read here, written by the worker.

Ours are the last headers of their name: a publisher's of the same name stay, and say nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self, cast, get_args

from schemas.outcome import DeadReason
from schemas.record import Header, Record

TOPIC: Final = "__dlq.errors.topic"
PARTITION: Final = "__dlq.errors.partition"
OFFSET: Final = "__dlq.errors.offset"
GROUP: Final = "__dlq.errors.group"
DELIVERY_COUNT: Final = "__dlq.errors.delivery.count"
MESSAGE: Final = "__dlq.errors.message"
ORIGINAL_TOPIC: Final = "kafka_dlt-original-topic"
REASON: Final = "cio.reason"
STATUS: Final = "cio.status"
ATTEMPTS: Final = "cio.attempts"
FAILED_AT: Final = "cio.failed_at"
FINGERPRINT: Final = "cio.fingerprint"
EVENT_ID: Final = "cio.event_id"
TIMESTAMP_MS: Final = "cio.timestamp_ms"
REPLAYS: Final = "cio.replays"

NAMED: Final = "cio.letter"
"""Of a letter that was written anew, and of its replay: the name that the letter had at first."""
EVEN_IF_OLDER: Final = "cio.even_if_older"
"""Of a replay: deliver it although newer data was delivered."""
EVEN_IF_SENT: Final = "cio.even_if_sent"
"""Of a replay: send it although it may have been sent."""
REPLAY_NOTE: Final = "cio.replay_note"
EDITED_BY: Final = "cio.edited_by"
EDITED_AT: Final = "cio.edited_at"
EDIT_DIFF: Final = "cio.edit_diff"

OF_LETTERS: Final = (
    *(TOPIC, PARTITION, OFFSET, GROUP, DELIVERY_COUNT, MESSAGE, ORIGINAL_TOPIC, REASON, STATUS, ATTEMPTS, FAILED_AT),
    *(FINGERPRINT, EVENT_ID, TIMESTAMP_MS, REPLAYS),
)
_NEEDED: Final = frozenset({TOPIC, PARTITION, OFFSET, REASON, REPLAYS})
OF_REPLAYS: Final = (NAMED, EVEN_IF_OLDER, EVEN_IF_SENT, REPLAY_NOTE, EDITED_BY, EDITED_AT, EDIT_DIFF)

_NAME: Final = re.compile(r"(\d{1,9})/(\d{1,18})", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d{1,19}", re.ASCII)


class LetterName(NamedTuple):
    """A letter's place on the dead-letter topic when it was written first: what it is called for ever."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `3/17`.

        Raises:
            ValueError: it is no such name.
        """
        found = _NAME.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} names no letter: expected PARTITION/OFFSET, such as 3/17")
        return cls(int(found[1]), int(found[2]))


class Origin(NamedTuple):
    """A record's first place: full name of the topic, partition, offset."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A letter, as read; `offset` is where it lies now, `failed_at` ISO 8601 in UTC, `timestamp_ms` the record's first.

    `replays` counts how often the record had been replayed when the letter was written, and with the decisions on it
    how often since; `message` names a field, never its content.
    """

    name: LetterName
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    origin: Origin
    reason: DeadReason
    status: int | None
    attempts: int
    failed_at: str
    message: str
    fingerprint: str | None
    event_id: str | None
    timestamp_ms: int | None
    replays: int


def read_letter(record: Record) -> DeadLetter | None:
    """Read a record of the dead-letter topic; None when no worker of ours has written it."""
    start, end = _span(record.headers)
    ours = _texts(record.headers[start:end])
    origin, reason = _origin(ours), ours.get(REASON)
    replays = _number(ours.get(REPLAYS))
    if origin is None or reason not in get_args(DeadReason) or replays is None:
        return None
    return DeadLetter(
        name=_first_name(record, end),
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=record.headers,
        origin=origin,
        reason=cast(DeadReason, reason),
        status=_number(ours.get(STATUS)),
        attempts=_number(ours.get(ATTEMPTS)) or 0,
        failed_at=ours.get(FAILED_AT, ""),
        message=ours.get(MESSAGE, ""),
        fingerprint=ours.get(FINGERPRINT),
        event_id=ours.get(EVENT_ID),
        timestamp_ms=_number(ours.get(TIMESTAMP_MS)),
        replays=replays,
    )


def origin_of(headers: Sequence[Header]) -> Origin | None:
    """The first place of a letter's or a replay's record; None where the headers do not tell."""
    return _origin(_ours(headers))


def replays_of(headers: Sequence[Header]) -> int:
    """How often a letter's or a replay's record has been replayed."""
    return _number(_ours(headers).get(REPLAYS)) or 0


def without_ours(headers: Sequence[Header]) -> list[Header]:
    """The publisher's own headers: what a letter's writer has added is taken away, and all that follows it."""
    start, end = _span(headers)
    left = set(OF_LETTERS)
    kept: list[Header] = []
    for name, value in reversed(headers[start:end]):
        if name in left:
            left.discard(name)
        else:
            kept.append((name, value))
    return [*headers[:start], *kept[::-1]]


def replay_texts(headers: Sequence[Header]) -> dict[str, str]:
    """What a replay, or a letter that was written anew, carries beyond a letter's headers: texts by name."""
    return {name: text for name, text in _texts(_tail(headers)).items() if name in OF_REPLAYS}


def _origin(ours: Mapping[str, str]) -> Origin | None:
    topic, partition, offset = ours.get(TOPIC), _number(ours.get(PARTITION)), _number(ours.get(OFFSET))
    return None if not topic or partition is None or offset is None else Origin(topic, partition, offset)


def _first_name(record: Record, end: int) -> LetterName:
    named = _texts(record.headers[end:]).get(NAMED, "")
    return LetterName.parse(named) if _NAME.fullmatch(named) else LetterName(record.partition, record.offset)


def _tail(headers: Sequence[Header]) -> Sequence[Header]:
    """What comes after the last of a letter's own headers: there a publisher has put nothing."""
    return headers[_span(headers)[1] :]


def _span(headers: Sequence[Header]) -> tuple[int, int]:
    """From where to where a letter's own headers stand: its writer puts them behind the publisher's, topic first.

    Without this a publisher's `cio.status` would count for a letter that has none. Where they are in another order, all
    headers count.
    """
    names = [name for name, _ in headers]
    end = _behind_last(names, REPLAYS)
    start = max(0, _behind_last(names[:end], TOPIC) - 1)
    for first, behind in ((start, end), (0, end)):
        if _NEEDED.issubset(names[first:behind]):
            return first, behind
    return 0, len(headers)


def _behind_last(names: Sequence[str], name: str) -> int:
    return len(names) - names[::-1].index(name) if name in names else 0


def _ours(headers: Sequence[Header]) -> dict[str, str]:
    start, end = _span(headers)
    return _texts(headers[start:end])


def _texts(headers: Sequence[Header]) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in headers if value is not None}


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None
