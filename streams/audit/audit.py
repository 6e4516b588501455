"""Reads inputs, then their results, partition by partition, and says what became of every record. Writes nothing."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, cast

from confluent_kafka import Message

from streams.audit.findings import Counts, Findings
from streams.audit.lane import Lane, OldestChunks
from streams.audit.results import Strays, by_topic
from streams.audit.scope import Scope, look
from streams.dead_letters.letters import Letters
from streams.kafka import offsets
from streams.kafka.bulk_reader import BulkReader
from streams.kafka.partition_reader import PartitionReader, Place
from streams.settings import Settings

CLOCKS_MS: Final = 3_600_000
"""So far may a publisher's clock be ahead, which is what Kafka takes by default."""

Progress = Callable[[Place, int], None]
"""Is told what is being read, and how many records have come in all."""


def audit(
    settings: Settings, topics: Sequence[str], *, since_ms: int | None = None, progress: Progress = lambda *_: None
) -> Findings:
    """Audit these topics (short names), all of their records or those from a Kafka timestamp on.

    Raises:
        ConfigError: a topic does not exist.
        UnavailableError: Kafka cannot be reached, does not answer, or deletes what is being read.
    """
    findings = Findings(topics={settings.topic(topic): Counts() for topic in topics})
    scope = look(settings, topics)
    with BulkReader(settings) as reader:
        auditor = _Auditor(scope, reader, since_ms=since_ms, progress=progress)
        for partition in range(scope.partitions):
            for lane in auditor.lanes(partition):
                findings.topics[lane.place[0]].add(lane.counts())
                findings.list_some(lane.missing())
                findings.list_some(lane.several())
                findings.list_some(lane.unfounded())
    findings.unreadable = auditor.strays.unreadable
    findings.misplaced = sum(auditor.strays.misplaced[topic] for topic in scope.topics)
    with PartitionReader(settings) as letters_reader:
        _count_letters(findings, Letters(settings, letters_reader), scope.topics, since_ms)
    return findings


class _Auditor:
    def __init__(self, scope: Scope, reader: BulkReader, *, since_ms: int | None, progress: Progress) -> None:
        self.strays = Strays()
        self._scope = scope
        self._reader = reader
        self._since_ms = since_ms
        self._progress = progress
        self._seen = 0

    def lanes(self, partition: int) -> Collection[Lane]:
        """Read all of one partition number: a lane for each topic, with its records and their results."""
        lanes = {place[0]: self._lane(place) for place in self._scope.places(partition)}
        place = (self._scope.results, partition)
        oldest = offsets.oldest(self._scope.admin, [place])[place]
        start = oldest
        if self._since_ms is not None:
            start = offsets.at_time(self._scope.admin, [place], max(0, self._since_ms - CLOCKS_MS))[place]
        oldest_ms = self._take(lanes, place, start, self._scope.ends[place])
        if start > oldest and any(lane.lost for lane in lanes.values()):
            for lane in lanes.values():
                lane.oldest_chunks = OldestChunks()
            oldest_ms = self._take(lanes, place, oldest, start)
        if oldest > 0:
            for lane in lanes.values():
                lane.unprovable_before = self._unprovable_before(lane, oldest_ms)
        return lanes.values()

    def _lane(self, place: Place) -> Lane:
        """A lane with its records."""
        admin, since_ms, end, committed = self._scope.admin, self._since_ms, self._scope.ends[place], None
        if self._scope.committed[place] >= 0:
            committed = self._scope.committed[place]
        oldest = offsets.oldest(admin, [place])[place]
        start = oldest if since_ms is None else offsets.at_time(admin, [place], since_ms)[place]
        lane = Lane(place, floor=0 if since_ms is None else start, oldest=oldest, end=end, committed=committed)
        for records in self._read(place, start, end):
            lane.put([cast(int, record.offset()) for record in records])
        return lane

    def _take(self, lanes: Mapping[str, Lane], place: Place, start: int, end: int) -> int | None:
        """Give the lanes their results; when the first of these was written, None where there are none."""
        first_ms = None
        for records in self._read(place, start, end):
            first_ms = records[0].timestamp()[1] if first_ms is None else first_ms
            for topic, verdicts in by_topic([record.value() for record in records], place[1], self.strays).items():
                if topic in lanes:
                    lanes[topic].take(verdicts)
        return first_ms

    def _read(self, place: Place, start: int, end: int) -> Iterator[list[Message]]:
        for records in self._reader.read(place, start, end):
            self._seen += len(records)
            self._progress(place, self._seen)
            yield records

    def _unprovable_before(self, lane: Lane, oldest_ms: int | None) -> int:
        """Where results were deleted: how far the records reach whose results may be among those."""
        if oldest_ms is None:
            return lane.end
        if lane.oldest_chunks.second is not None:
            return lane.oldest_chunks.second
        return offsets.at_time(self._scope.admin, [lane.place], oldest_ms + CLOCKS_MS)[lane.place]


def _count_letters(findings: Findings, letters: Letters, topics: Collection[str], since_ms: int | None) -> None:
    for partition in letters.partitions():
        for found in letters.read(partition):
            if found.letter.origin.topic in topics and (
                since_ms is None or (found.letter.timestamp_ms or 0) >= since_ms
            ):
                findings.letters_parked += found.state == "parked"
                findings.letters_open += found.state == "open"
