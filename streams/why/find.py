"""Finds the story of one record. Everything of it lies on the partition number that it came from.

Topics are read from the record's time on where that is possible; results and letters from their beginning only where
nothing is found so, for publishers may give any time.
"""

from collections.abc import Iterator
from typing import Final

from schemas.codec import claimed_id
from schemas.dead_letter import Origin, origin_of
from schemas.errors import StreamsError
from schemas.person_id import erased_key, key_text, presentable
from schemas.person_state import PersonState, unpack
from schemas.record import Stored
from streams.dead_letters.letter import Letter
from streams.dead_letters.letters import Letters
from streams.kafka import topic_plan
from streams.kafka.bulk_reader import BulkReader
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.partition_reader import PartitionReader
from streams.kafka.refusals import require_group
from streams.settings import Settings
from streams.why.story import ResultTold, Story, read_result

CLOCKS_MS: Final = 3_600_000
"""So far may a publisher's clock be ahead of ours."""


def find_story(settings: Settings, asked: Origin) -> Story:
    """Find it; the story of a replay is that of its record.

    Raises:
        StreamsError: there is no such record, and nothing tells of it.
        UnavailableError: Kafka cannot be reached, or does not answer.
    """
    require_group(connected_admin(settings), settings.app_id)
    with PartitionReader(settings) as reader, BulkReader(settings) as bulk:
        place, record = asked, _record(reader, asked)
        if place.topic == settings.topic(topic_plan.REPLAY):
            place = _first_place(asked, record)
            record = _record(reader, place)
        return _Finder(settings, reader, bulk, place, record).story(asked)


class _Finder:
    def __init__(
        self, settings: Settings, reader: PartitionReader, bulk: BulkReader, place: Origin, record: Stored | None
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._bulk = bulk
        self._place = place
        self._record = record

    def story(self, asked: Origin) -> Story:
        """Put everything together."""
        next_offset = self._next_offset()
        is_waiting = next_offset is not None and self._place.offset >= next_offset
        results = self._results(is_waiting=is_waiting)
        is_dead = any(result.outcome == "dead" for result in results)
        letters = self._letters() if is_dead or not (results or is_waiting) else []
        if not (self._record or results or letters):
            raise StreamsError(f"{self._place} has been deleted, and nothing is left that tells of it")
        user_id = self._user_id(results, letters)
        return Story(
            place=self._place,
            asked=asked,
            record=self._record,
            next_offset=next_offset,
            results=results,
            letters=letters,
            replays=self._replays() if letters else [],
            user_id=user_id,
            person=self._person(user_id) if user_id else None,
        )

    def _results(self, *, is_waiting: bool) -> list[ResultTold]:
        oldest, end = self._reader.bounds((self._settings.topic(topic_plan.RESULTS), self._place.partition))
        start = self._start(topic_plan.RESULTS)
        found = list(self._results_between(start, end))
        return found if found or is_waiting else list(self._results_between(oldest, start))

    def _results_between(self, start: int, end: int) -> Iterator[ResultTold]:
        named = str(self._place.offset).encode()
        place = (self._settings.topic(topic_plan.RESULTS), self._place.partition)
        for records in self._bulk.read(place, start, end):
            values = [value for record in records if (value := record.value()) and named in value]
            for result in map(read_result, values):
                if result and result.first_place == self._place:
                    yield result

    def _letters(self) -> list[Letter]:
        letters, start = Letters(self._settings, self._reader), self._start(topic_plan.DLQ)
        found = [each for each in letters.read(self._place.partition, start=start) if each.letter.origin == self._place]
        return found or [each for each in letters.read(self._place.partition) if each.letter.origin == self._place]

    def _replays(self) -> list[Stored]:
        place = (self._settings.topic(topic_plan.REPLAY), self._place.partition)
        copies = self._reader.read(place, self._start(topic_plan.REPLAY))
        return [copy for copy in copies if origin_of(copy.headers) == self._place]

    def _user_id(self, results: list[ResultTold], letters: list[Letter]) -> str | None:
        told = [result.user_id for result in results] + [letter.user_id for letter in letters]
        if self._record:
            told += [presentable(claimed_id(self._record.value)), presentable(key_text(self._record.key))]
        return next((user_id for user_id in told if user_id), None)

    def _person(self, user_id: str) -> PersonState | None:
        key = user_id.encode()
        states: dict[bytes | None, bytes | None] = dict.fromkeys((key, erased_key(key)))
        place = (self._settings.topic(topic_plan.LEDGER_PEOPLE), self._place.partition)
        for records in self._bulk.read(place, *self._reader.bounds(place)):
            states.update((record.key(), record.value()) for record in records if record.key() in states)
        state = states[key] or states[erased_key(key)]
        return unpack(state) if state else None

    def _next_offset(self) -> int | None:
        group = LedgerReader(librdkafka_config(self._settings), group=self._settings.app_id)
        place = (self._place.topic, self._place.partition)
        committed = group.committed([place])[place]
        return committed if committed >= 0 else None

    def _start(self, topic: str) -> int:
        """From where what was written of the record lies on a topic, if its time is right."""
        place = (self._settings.topic(topic), self._place.partition)
        if self._record is None:
            return self._reader.bounds(place)[0]
        return self._reader.offset_at(place, max(0, self._record.timestamp - CLOCKS_MS))


def _record(reader: PartitionReader, place: Origin) -> Stored | None:
    """The record at a place, None when it has been deleted."""
    partitions = reader.partitions(place.topic)
    if place.partition not in partitions:
        raise StreamsError(f"{place.topic} has no partition {place.partition}: it has {len(partitions)}")
    oldest, end = reader.bounds((place.topic, place.partition))
    if place.offset < oldest:
        return None
    if place.offset >= end:
        raise StreamsError(f"{place} does not exist yet: the next record there will be at {end}")
    record = next(reader.read((place.topic, place.partition), place.offset, place.offset + 1), None)
    if record is None:
        raise StreamsError(f"{place} holds no record: a transaction's mark, or what was rolled back or compacted away")
    return record


def _first_place(asked: Origin, record: Stored | None) -> Origin:
    if record is None:
        raise StreamsError(f"{asked} has been deleted")
    origin = origin_of(record.headers)
    if origin is None:
        raise StreamsError(f"{asked} does not say what it is a replay of: it was not written by `cio-streams dlq`")
    return origin
