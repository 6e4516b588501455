"""Says which other topics still hold a person, and until when: what publishers wrote there is not ours to change."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AdminClient,
    ConfigResource,
    ResourceType,
)

from schemas.errors import UnavailableError
from schemas.record import Stored
from streams.dead_letters.erasure.rule import Person
from streams.kafka import topic_plan
from streams.kafka.partition_reader import GoneError, PartitionReader, Place
from streams.settings import Settings

ELSEWHERE: Final = (
    *topic_plan.INPUTS,
    topic_plan.RESULTS,
    topic_plan.WEBHOOKS,
    topic_plan.PERSON_STATUS,
    topic_plan.LEDGER_SENDS,
)
HOLDING: Final = (topic_plan.BROADCAST_TRIGGERS, topic_plan.WEBHOOKS, topic_plan.LEDGER_SENDS)
"""What holds the id there is about the person, wherever it stands."""
ASK_S: Final = 15.0
SAY_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """`records` of a topic (full name) hold the person; the youngest is kept until `until_ms`, None for ever."""

    topic: str
    records: int
    until_ms: int | None


class Elsewhere:
    """Reads topics from beginning to end, in flat memory."""

    def __init__(self, settings: Settings, person: Person, everything: PartitionReader, admin: AdminClient) -> None:
        self._settings = settings
        self._person = person
        self._everything = everything
        self._admin = admin
        self._holding = set(map(settings.topic, HOLDING))

    def look(self, say: Callable[[str], None]) -> list[Left]:
        """Give the topics that hold the person."""
        found = [self._look(self._settings.topic(name), say) for name in ELSEWHERE]
        return [each for each in found if each.records]

    def _look(self, topic: str, say: Callable[[str], None]) -> Left:
        records = youngest = looked = 0
        said = time.monotonic()
        for partition in self._everything.partitions(topic):
            for record in self._records((topic, partition)):
                looked += 1
                if self._is_theirs(record, topic):
                    records += 1
                    youngest = max(youngest, record.timestamp)
                if looked % 10_000 == 0 and time.monotonic() - said > SAY_S:
                    said = time.monotonic()
                    say(f"{topic}: {looked:,} records looked at")
        return Left(topic=topic, records=records, until_ms=self._until_ms(topic, youngest) if records else None)

    def _records(self, place: Place) -> Iterator[Stored]:
        """What Kafka deletes meanwhile, for it is old, holds nobody any more: it goes on behind that."""
        start, end = self._everything.bounds(place)
        while start < end:
            try:
                for record in self._everything.read(place, start, end):
                    yield record
                    start = record.offset + 1
            except GoneError:
                continue
            return

    def _is_theirs(self, record: Stored, topic: str) -> bool:
        if not self._person.is_held(record.key, record.value, record.headers):
            return False  # so most are settled without reading what they say
        if topic in self._holding:
            return True
        return self._person.relation(record.key, record.value, record.headers) in {"theirs", "likely"}

    def _until_ms(self, topic: str, youngest_ms: int) -> int | None:
        (answer,) = self._admin.describe_configs(
            [ConfigResource(ResourceType.TOPIC, topic)], request_timeout=ASK_S
        ).values()
        try:
            config = answer.result()
        except KafkaException as error:
            raise UnavailableError(f"Kafka does not tell how long {topic} is kept: {error.args[0].str()}") from error
        retention_ms = int(str(config["retention.ms"].value))
        is_deleted = "delete" in str(config["cleanup.policy"].value) and retention_ms >= 0
        return youngest_ms + retention_ms if is_deleted else None
