"""One input partition under audit: takes its records and their results, says what is missing or there several times."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from streams.audit.findings import Counts, Violation
from streams.audit.results import Verdict
from streams.audit.tally import MISSING, RECORD, RESULT_ALONE, SEVERAL, Tally
from streams.kafka.partition_reader import Place

SECOND: Final = 2


class OldestChunks:
    """Knows where the second oldest of the chunks begins whose results are left; None while there is none.

    Chunks are concluded one after the other, but the results of one lie in any order: so where older results have been
    deleted, the sources of those reach into the oldest chunk that is left, and no further.
    """

    def __init__(self) -> None:
        self.second: int | None = None
        self._seen = 0
        self._processed_at: str | None = None

    def take(self, verdicts: Sequence[Verdict]) -> None:
        """Look at results, oldest first."""
        for verdict in verdicts:
            if self._seen > SECOND:
                return
            if not self._seen or verdict.processed_at != self._processed_at:
                self._seen += 1
                self._processed_at = verdict.processed_at
            if self._seen == SECOND:
                self.second = verdict.offset if self.second is None else min(self.second, verdict.offset)


class Lane:
    """Records from `start` to before `end`; the group's next offset is `committed`, None where it has none.

    A result below `floor` is not looked at; `oldest` is the first offset whose record Kafka has not deleted.
    """

    def __init__(self, place: Place, *, floor: int, oldest: int, end: int, committed: int | None) -> None:
        self.place = place
        self.end = end
        self.oldest_chunks = OldestChunks()
        self.unprovable_before = 0
        self._floor = floor
        self._oldest = oldest
        self._committed = committed
        self._tally = Tally()
        self._outcomes: Counter[str] = Counter()

    def put(self, offsets: Sequence[int]) -> None:
        """There are records at these offsets."""
        self._tally.put(offsets)

    def take(self, verdicts: Sequence[Verdict]) -> None:
        """There are these results."""
        self.oldest_chunks.take(verdicts)
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
            gone=tally.count(RESULT_ALONE, end=self._oldest),
            unfounded=tally.count(RESULT_ALONE, self._oldest),
        )

    def missing(self) -> Iterator[Violation]:
        """Each record that has no result."""
        for offset, _ in self._tally.each(MISSING, self._provable):
            is_beyond = offset >= (self._committed or 0)
            yield Violation("missing", *self.place, offset=offset, results=0, is_beyond_committed=is_beyond)

    def several(self) -> Iterator[Violation]:
        """Each offset that has more than one result."""
        for offset, results in self._tally.each(SEVERAL):
            yield Violation("several", *self.place, offset=offset, results=results)

    def unfounded(self) -> Iterator[Violation]:
        """Each offset that has results although no record was ever committed there."""
        for offset, results in self._tally.each(RESULT_ALONE, self._oldest):
            yield Violation("unfounded", *self.place, offset=offset, results=results)

    @property
    def _provable(self) -> int:
        """From here on a record without result has none: what no worker has come to yet never had one."""
        return self.unprovable_before if self._committed is None else min(self.unprovable_before, self._committed)
