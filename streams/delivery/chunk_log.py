"""One line in the log for each chunk that is concluded, and one for those of its records that are dead letters."""

from collections import Counter
from collections.abc import Sequence

import structlog

from agents.ports import Counts
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion

log = structlog.get_logger()


class ChunkLog:
    """Counts the sends of a chunk, which are concluded one by one, until the chunk is."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, int], tuple[Chunk, Counts]] = {}  # a lane has one chunk at a time

    def concluded(self, chunk: Chunk, counts: Counts, conclusions: Sequence[Conclusion], now_ms: int) -> None:  # noqa: ARG002 - the port's signature
        """A chunk's conclusions are committed, but for those of sends that were before."""
        counts = counts + self._sent_of(chunk)
        self._sent.pop((chunk.topic, chunk.partition), None)
        place = {
            "topic": chunk.topic,
            "partition": chunk.partition,
            "first": chunk.start,
            "last": chunk.next_offset - 1,
        }
        outcomes, reasons = Counter[str](), Counter[str]()
        for (outcome, reason), count in counts.items():
            outcomes[outcome] += count
            reasons[reason or ""] += count if outcome == "dead" else 0
        oldest_s = round(max(0, now_ms - chunk.records[0].timestamp) / 1000, 3)
        log.info("chunk concluded", **place, records=len(chunk.records), outcomes=dict(outcomes), oldest_s=oldest_s)
        if dead := outcomes["dead"]:
            log.warning("dead letters", **place, count=dead, reasons=dict(+reasons))

    def sent(self, chunk: Chunk, conclusion: Conclusion, now_ms: int) -> None:  # noqa: ARG002 - the port's signature
        """The conclusion of one send is committed."""
        counts = self._sent_of(chunk)
        counts[conclusion.outcome, conclusion.reason] += 1
        self._sent[chunk.topic, chunk.partition] = chunk, counts

    def _sent_of(self, chunk: Chunk) -> Counts:
        """What was sent of this chunk; what was of one that has been given up is of no interest any more."""
        of, counts = self._sent.get((chunk.topic, chunk.partition), (None, Counter()))
        return counts if of is chunk else Counter()
