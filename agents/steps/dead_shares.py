"""Which share of a topic's last records became dead letters, and whether a chunk more would make it a flood.

Knows no time: a topic that stands still stays as it was.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from typing import NamedTuple

from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.flood import Flood

WINDOW_RECORDS = 1_000  # and what the oldest chunk in it has more
RECORDS_MIN = 100  # of fewer, a share says nothing


class _Counted(NamedTuple):
    records: int
    dead: int


class DeadShares:
    """The last chunks of every topic: at most `WINDOW_RECORDS` of them, each as two numbers."""

    def __init__(self, share_max: float) -> None:
        self._share_max = share_max
        self._chunks: defaultdict[str, deque[_Counted]] = defaultdict(deque)
        self._records: Counter[str] = Counter()

    def flood_of(self, chunk: Chunk, conclusions: Sequence[Conclusion], *, dead: int) -> Flood | None:
        """What the chunk would be with its `dead`, None unless the share passes its maximum; counts nothing.

        A chunk whose own share does not is none, whatever was before: with it the flood is over.
        """
        records = len(conclusions)
        if not self._is_over(records, dead):
            return None
        recent = _Counted(records, dead)
        for each in reversed(self._chunks[chunk.topic]):
            if recent.records >= WINDOW_RECORDS:
                break
            recent = _Counted(recent.records + each.records, recent.dead + each.dead)
        if recent.records < RECORDS_MIN or not self._is_over(*recent):
            return None
        return _flood(chunk, conclusions, recent)

    def count(self, topic: str, *, records: int, dead: int) -> None:
        """Take a chunk into the topic's window, and out of it what is not needed any more."""
        chunks = self._chunks[topic]
        chunks.append(_Counted(records, dead))
        self._records[topic] += records
        while self._records[topic] - chunks[0].records >= WINDOW_RECORDS:
            self._records[topic] -= chunks.popleft().records

    def forget(self, topic: str) -> None:
        """Begin anew with this topic."""
        self._chunks.pop(topic, None)
        self._records.pop(topic, None)

    def _is_over(self, records: int, dead: int) -> bool:
        return dead / records > self._share_max  # a product would be over by a rounding error


def _flood(chunk: Chunk, conclusions: Sequence[Conclusion], recent: _Counted) -> Flood:
    dead = sorted((each for each in conclusions if each.outcome == "dead"), key=lambda each: each.record.offset)
    ((reason, _),) = Counter(each.reason for each in dead).most_common(1)
    alike = [each for each in dead if each.reason == reason]
    ((detail, _),) = Counter(each.detail for each in alike).most_common(1)
    return Flood(
        topic=chunk.topic,
        partition=chunk.partition,
        records=recent.records,
        dead=recent.dead,
        reason=reason,
        suspects=[each.record for each in alike],
        example=next(each for each in alike if each.detail == detail),
    )
