"""Gathers what has been read until it is worth loading: by rows, bytes and seconds. Pure, and bounded."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from schemas.record import Stored
from streams.kafka import topic_plan
from streams.kafka.partition_reader import Place as Partition
from streams.settings import Settings
from streams.warehouse.port import Batch, Place
from streams.warehouse.result_rows import result_row
from streams.warehouse.starts import Start
from streams.warehouse.tables import RESULTS, WEBHOOKS, Row, Table
from streams.warehouse.webhook_rows import webhook_row

ROWS_MAX: Final = 5_000
BYTES_MAX: Final = 8 * 1024 * 1024
SECONDS_MAX: Final = 1.0


class Kind(NamedTuple):
    """What a topic's records become."""

    table: Table
    row_of: Callable[[Stored, str], Row]


def kinds(settings: Settings) -> dict[str, Kind]:
    """What is loaded: topics by their full names, and what their records become."""
    return {
        settings.topic(topic_plan.WEBHOOKS): Kind(WEBHOOKS, webhook_row),
        settings.topic(topic_plan.RESULTS): Kind(RESULTS, result_row),
    }


@dataclass(slots=True)
class _Lane:
    """What was read of one place since it was loaded last."""

    kind: Kind
    place: Place
    loaded: int
    next_offset: int
    rows: list[Row] = field(default_factory=list)


class Gathering:
    """What was read of the partitions that are ours, from where each of them starts."""

    def __init__(self, starts: Mapping[Partition, Start], kinds: Mapping[str, Kind]) -> None:
        self._lanes = {
            partition: _Lane(kinds[partition[0]], start.place, start.offset, start.offset)
            for partition, start in starts.items()
        }
        self._rows = self._bytes = 0
        self._since_s: float | None = None

    def take(self, record: Stored, *, now_s: float) -> None:
        """One more record."""
        lane = self._lanes[record.topic, record.partition]
        lane.rows.append(lane.kind.row_of(record, lane.place.incarnation))
        self._rows += 1
        self._bytes += len(record.value or b"")
        self._move(lane, record.offset + 1, now_s)

    def reached(self, partition: Partition, offset: int, *, now_s: float) -> None:
        """Nothing more lies before this offset."""
        lane = self._lanes[partition]
        if offset > lane.next_offset:
            self._move(lane, offset, now_s)

    def is_due(self, *, now_s: float) -> bool:
        """Whether it should be loaded now."""
        if self._since_s is None:
            return False
        return self._rows >= ROWS_MAX or self._bytes >= BYTES_MAX or now_s - self._since_s >= SECONDS_MAX

    def batches(self) -> Sequence[Batch]:
        """What is to be loaded."""
        return [
            Batch(
                table=lane.kind.table,
                place=lane.place,
                first_offset=lane.loaded,
                next_offset=lane.next_offset,
                rows=lane.rows,
            )
            for lane in self._lanes.values()
            if lane.next_offset > lane.loaded
        ]

    def loaded(self, kept: Collection[Place] = (), *, now_s: float = 0.0) -> None:
        """All of it is loaded but for these places, of which nothing more is read: they are due again after a while."""
        for lane in self._lanes.values():
            if lane.place not in kept:
                lane.loaded, lane.rows = lane.next_offset, []
        self._rows = self._bytes = 0
        self._since_s = now_s if kept else None

    def _move(self, lane: _Lane, next_offset: int, now_s: float) -> None:
        lane.next_offset = next_offset
        self._since_s = now_s if self._since_s is None else self._since_s
