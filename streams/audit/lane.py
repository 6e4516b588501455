"""One input partition under audit: takes its records and their results, says what is missing or there several times."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from streams.audit.findings import Counts, Violation
from streams.audit.results import Verdict
from streams.audit.tally import MISSING, RECORD, RESULT_ALONE, SEVERAL, Tally
from streams.kafka.partition_reader import Place


class OldestChunk:
    """The last source offset of the chunk whose results are the oldest that are left, -1 while there are none.

    Chunks are concluded one after the other, but the results of one lie in any order. So where older results have been
    deleted, this is how far the sources of those may reach.
    """

    def __init__(self) -> None:
        self.last = -1
        self._processed_at: str | None = None
        self._is_over = False

    def take(self, verdicts: Sequence[Verdict]) -> None:
        """Look at results, oldest first."""
        if self._is_over:
            return
        if self.last < 0:
            self._processed_at = verdicts[0].processed_at
        for verdict in verdicts:
            if verdict.processed_at != self._processed_at:
                self._is_over = True
                return
            self.last = max(self.last, verdict.offset)


class Lane:
    """Records from `start` to before `end`; the group's next offset is `committed`, None where it has none.

    A result below `floor` is not looked at.
    """

    def __init__(self, place: Place, *, floor: int, end: int, committed: int | None) -> None:
        self.place = place
        self.end = end
        self.oldest_chunk = OldestChunk()
        self.unprovable_before = 0
        self._floor = floor
        self._committed = committed
        self._tally = Tally()
        self._outcomes: Counter[str] = Counter()

    def put(self, offsets: Sequence[int]) -> None:
        """There are records at these offsets."""
        self._tally.put(offsets)

    def take(self, verdicts: Sequence[Verdict]) -> None:
        """There are these results."""
        self.oldest_chunk.take(verdicts)
        offsets = [verdict.offset for verdict in verdicts]
        if min(offsets) < self._floor or max(offsets) >= self.end:
            verdicts = [verdict for verdict in verdicts if self._floor <= verdict.offset < self.end]
            offsets = [verdict.offset for verdict in verdicts]
        if offsets:
            self._outcomes.update([verdict.outcome for verdict in verdicts])
            offsets.sort()
            self._tally.add(offsets)

    @property
    def lost(self) -> int:
        """How many records have no result although the group is past them."""
        return self._tally.count(MISSING, end=self._committed)

    def counts(self) -> Counts:
        """The numbers, once all is taken."""
        tally, provable = self._tally, self._provable
        next_up = max(provable, self._committed or 0)
        return Counts(
            inputs=tally.count(RECORD),
            results=self._outcomes.total(),
            outcomes=self._outcomes,
            missing=tally.count(MISSING, provable),
            beyond_committed=tally.count(MISSING, next_up),
            several=tally.count(SEVERAL),
            unprovable=tally.count(MISSING, end=provable),
            gone=tally.count(RESULT_ALONE),
        )

    def violations(self) -> Iterator[Violation]:
        """Each offset that has another number of results than one."""
        found = chain(self._tally.each(SEVERAL), self._tally.each(MISSING, self._provable))
        for offset, results in found:
            yield Violation(
                kind="several" if results else "missing",
                topic=self.place[0],
                partition=self.place[1],
                offset=offset,
                results=results,
                is_beyond_committed=not results and offset >= (self._committed or 0),
            )

    @property
    def _provable(self) -> int:
        """From here on a record without result has none: what no worker has come to yet never had one."""
        return self.unprovable_before if self._committed is None else min(self.unprovable_before, self._committed)
