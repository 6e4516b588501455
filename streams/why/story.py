"""What is known of one record: the nouns of `cio-streams why`; nothing is read or shown here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.dead_letter import Origin
from schemas.person_state import PersonState
from schemas.record import Stored
from streams.dead_letters.letter import Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTold:
    """A result: what it is of, and what it says; `origin` is the first place of a record that a replay brought back."""

    source: Origin
    origin: Origin | None
    outcome: str
    reason: str | None
    detail: str | None
    user_id: str | None
    operations: Sequence[str]
    status: int | None
    attempts: int
    processed_at: str

    @property
    def first_place(self) -> Origin:
        """Where its record was first."""
        return self.origin or self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One record's.

    Attributes:
        asked: the place that was asked for: the record's own, or that of one of its replays.
        record: None when it has been deleted.
        next_offset: where the group goes on in its partition, None when it has not begun.
        results: also those of its replays.
        replays: its copies on the replay topic.
        user_id: whose it is, as far as can be told.
        person: what the ledger says of them now, None when nothing.
    """

    place: Origin
    asked: Origin
    record: Stored | None
    next_offset: int | None
    results: Sequence[ResultTold]
    letters: Sequence[Letter]
    replays: Sequence[Stored]
    user_id: str | None
    person: PersonState | None

    def results_of(self, source: Origin) -> list[ResultTold]:
        """Those of the record at this place."""
        return [result for result in self.results if result.source == source]

    @property
    def is_passed(self) -> bool:
        """Whether the group has left it behind."""
        return self.next_offset is not None and self.next_offset > self.place.offset


def read_result(value: bytes | None) -> ResultTold | None:
    """Read a record of the results topic; None when it is no result."""
    try:
        told: dict[str, Any] = orjson.loads(value or b"")
        return ResultTold(
            source=_place(told["source"]),
            origin=_place(told["origin"]) if told.get("origin") else None,
            outcome=told["outcome"],
            reason=told.get("reason"),
            detail=told.get("detail"),
            user_id=told.get("user_id"),
            operations=told.get("operations") or [],
            status=told.get("status"),
            attempts=told.get("attempts") or 0,
            processed_at=told.get("processed_at") or "",
        )
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return None


def _place(told: dict[str, Any]) -> Origin:
    return Origin(told["topic"], told["partition"], told["offset"])
