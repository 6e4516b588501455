"""How far behind each partition of ours is, in offsets and in seconds; worked out when somebody looks."""

import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final, Protocol

from faust.types import TP

from schemas.chunk import Chunk

LEAST_S: Final = 0.001
"""What lag reads at least: a clock behind Kafka's must not make it look like none."""

KNOWN_S: Final = 15.0
"""So long what Kafka told last of an end counts: who is cut off from Kafka must not seem to be without lag."""

_OFFSET: Final = attrgetter("offset")
_TIMESTAMP: Final = attrgetter("timestamp")

Reading = tuple[Sequence[str], float]


class Consumer(Protocol):
    """What is known of what was fetched."""

    def assigned(self) -> Collection[TP]:
        """The partitions that are ours."""

    def told_s(self, tp: TP) -> float:
        """When Kafka told last where the partition ends, by the clock."""

    def in_hand(self, tp: TP) -> Sequence[Chunk]:
        """The chunks that are handed out and not concluded, the oldest first."""

    @property
    def passed(self) -> Mapping[TP, int]:
        """Where a partition was seen to hold nothing more to hand out, by the offset of what comes next."""

    @property
    def last_ms(self) -> Mapping[TP, int]:
        """When the last record was written of those that were concluded, in this assignment."""


class Lag:
    """`position` gives the first offset without a committed conclusion, `end` the end; None where that is not known.

    The oldest record may not have been fetched yet. Then it came after the partition was last seen without lag, or
    assigned, and after the last one that was concluded: the later of these is what its age is told by.
    """

    def __init__(
        self,
        consumer: Callable[[], Consumer],
        *,
        position: Callable[[TP], int | None],
        end: Callable[[TP], int | None],
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._consumer = consumer
        self._position = position
        self._end = end
        self._clock_s = clock_s
        self._level_s: dict[TP, float] = {}

    def look(self) -> None:
        """Note which partitions are without lag."""
        for _ in self.seconds():
            pass

    def records(self) -> Iterator[Reading]:
        """Of every partition that is ours and known: how many offsets have no committed conclusion."""
        for tp in self._consumer().assigned():
            behind = self._behind(tp)
            if behind is not None:
                yield (tp.topic, str(tp.partition)), behind

    def seconds(self) -> Iterator[Reading]:
        """Of every partition that is ours: the age of its oldest record without a committed conclusion."""
        now_s, assigned = self._clock_s(), self._consumer().assigned()
        self._level_s = {tp: self._level_s.get(tp, now_s) for tp in assigned}
        for tp in assigned:
            told_s = self._consumer().told_s(tp)
            if is_level := self._behind(tp) == 0:
                self._level_s[tp] = max(self._level_s[tp], min(told_s, now_s))
            is_known = is_level and now_s - told_s < KNOWN_S
            age_s = 0 if is_known else max(LEAST_S, now_s - self._oldest_s(tp, now_s))
            yield (tp.topic, str(tp.partition)), age_s

    def _behind(self, tp: TP) -> int | None:
        position, end = self._position(tp), self._end(tp)
        if position is None or end is None:
            return None
        consumer = self._consumer()
        if not consumer.in_hand(tp):  # what lies between may be no records: transactions' markers, say
            position = max(position, consumer.passed.get(tp, 0))
        return max(0, end - position)

    def _oldest_s(self, tp: TP, now_s: float) -> float:
        consumer = self._consumer()
        in_hand_ms = min(_timestamps(consumer.in_hand(tp), self._position(tp) or 0), default=None)
        if in_hand_ms is not None:
            return in_hand_ms / 1000
        last_s = consumer.last_ms.get(tp, 0) / 1000
        return max(self._level_s[tp], last_s if last_s <= now_s else 0)  # a publisher's clock may be ahead


def _timestamps(chunks: Iterable[Chunk], position: int) -> Iterator[int]:
    """Of the records that stand there or behind: the first need not be the oldest, publishers' clocks differ."""
    for chunk in chunks:
        if chunk.next_offset > position:
            yield min(map(_TIMESTAMP, chunk.records[bisect_left(chunk.records, position, key=_OFFSET) :]))
