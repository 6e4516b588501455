"""What the loader and the report need of a warehouse, whichever engine it is; how each row gets there once.

An engine keeps rows and progress together: what `progress` says is loaded is there, and nothing else is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from streams.warehouse.tables import Row, Table

Found: TypeAlias = Mapping[str, Any]
"""A row that was read: by column; times as `datetime` with an offset, JSON as its text."""


class Place(NamedTuple):
    """A partition of a topic (full name) as it is now: one that is made anew under the same name is another place."""

    topic: str
    incarnation: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Everything of one place from `first_offset` to before `next_offset`, as rows in the order of their offsets.

    There may be fewer rows than offsets: transactions' marks take some, and so does what was rolled back.
    """

    table: Table
    place: Place
    first_offset: int
    next_offset: int
    rows: Sequence[Row]

    def rows_from(self, offset: int) -> Sequence[Row]:
        """Those that lie there or later: what is left of a batch whose beginning is loaded."""
        if offset <= self.first_offset:
            return self.rows
        return [row for row in self.rows if self.table.offset_of(row) >= offset]


class Warehouse(Protocol):
    """The side that is loaded; used by one thread. Its errors are `StreamsError`s."""

    def prepare(self) -> None:
        """Create or check tables and views, and add columns that are new.

        Raises:
            ConfigError: what is there is no warehouse of ours, or may not be used.
            UnavailableError: it does not answer, or another loader has it.
        """

    def progress(self) -> dict[Place, int]:
        """The next offset of each place that was ever loaded."""

    def append(self, batches: Sequence[Batch]) -> Mapping[Place, str]:
        """Load batches, at most one of each place: each wholly, with its progress, or not at all.

        Give the places whose batches are not loaded though others are, and why: those are to be given again.

        What lies before a place's progress is there already and is left out, so a batch that is repeated, overlaps or
        was interrupted leaves each row once. One that begins beyond it leaves a hole, which is the loader's decision.

        Raises:
            UnavailableError: none is loaded; all may be given again.
        """

    def close(self) -> None:
        """Let go of it."""


class WarehouseReader(Protocol):
    """The side that is asked. Its errors are `StreamsError`s."""

    def read(
        self, view: str, *, where: Mapping[str, str | int] | None = None, newest_by: str | None = None, limit: int
    ) -> list[Found]:
        """At most `limit` rows of a view or table whose columns have these values; those with the highest `newest_by`.

        Raises:
            UnavailableError: there is no warehouse, or it does not answer.
        """

    def close(self) -> None:
        """Let go of it."""
