"""Reads partitions from one offset to another, in flat memory, for commands that look at what lies on Kafka.

Blocking. Shows what is committed, and never joins a group.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.dead_letter import Header
from schemas.errors import ConfigError, UnavailableError
from streams.kafka.clients import librdkafka_config
from streams.settings import Settings

BATCH_RECORDS = 200  # each may be as large as the broker takes
QUEUED_KIB = 32_768
QUEUE_FULL_MS = 5  # by default nothing is fetched for a second whenever the queue was full
ANSWER_S = 15.0
POLL_S = 0.05  # so long is a batch waited for that does not become full, at the end of each partition too

Place = tuple[str, int]  # full name of a topic, partition


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it lies on Kafka; `timestamp` is Kafka's, in unix milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


class PartitionReader:
    """One consumer, used by one thread; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = Consumer(
            librdkafka_config(
                settings,
                **{
                    "group.id": f"{settings.app_id}-commands",  # librdkafka wants one; nothing is committed under it
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "auto.offset.reset": "earliest",
                    "isolation.level": "read_committed",
                    "queued.max.messages.kbytes": QUEUED_KIB,
                    "fetch.queue.backoff.ms": QUEUE_FULL_MS,
                    "fetch.wait.max.ms": 10,
                },
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic (full name).

        Raises:
            ConfigError: it does not exist.
            UnavailableError: Kafka does not answer.
        """
        try:
            found = self._consumer.list_topics(topic, timeout=ANSWER_S).topics[topic]
        except KafkaException as error:
            raise UnavailableError(f"Kafka does not tell of {topic}: {error.args[0].str()}") from error
        if found.error is not None or not found.partitions:
            raise ConfigError(f"{topic} does not exist: run `cio-streams topics create`")
        return sorted(found.partitions)

    def bounds(self, place: Place) -> tuple[int, int]:
        """The oldest offset there, and the one after the last committed record."""
        try:
            oldest, end = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=ANSWER_S)
        except KafkaException as error:
            raise UnavailableError(f"The ends of {_named(place)} cannot be read: {error.args[0].str()}") from error
        return oldest, end

    def offset_at(self, place: Place, timestamp_ms: int) -> int:
        """The first offset whose record is not older than this; the end when all are."""
        wanted = TopicPartition(*place, timestamp_ms)
        try:
            found = self._consumer.offsets_for_times([wanted], timeout=ANSWER_S)[0]
        except KafkaException as error:
            raise UnavailableError(f"{_named(place)} cannot be searched: {error.args[0].str()}") from error
        return found.offset if found.offset >= 0 else self.bounds(place)[1]

    def read(self, place: Place, start: int | None = None, end: int | None = None) -> Iterator[Stored]:
        """Yield the committed records from `start` (the oldest) to before `end` (the present one), in order.

        Raises:
            UnavailableError: nothing comes for a while.
        """
        oldest, last = self.bounds(place)
        first = oldest if start is None else max(oldest, start)
        until = last if end is None else min(last, end)
        if first >= until:
            return
        self._consumer.assign([TopicPartition(*place, first)])
        try:
            for message in self._messages(place):
                if message.error() is None and cast(int, message.offset()) < until:
                    yield _stored(message)
                if cast(int, message.offset()) >= until - (message.error() is None):
                    return
        finally:
            self._consumer.unassign()

    def _messages(self, place: Place) -> Iterator[Message]:
        heard_s = time.monotonic()
        while True:
            messages = self._consumer.consume(BATCH_RECORDS, timeout=POLL_S)
            heard_s = time.monotonic() if messages else heard_s
            for message in messages:
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    raise UnavailableError(f"{_named(place)} cannot be read: {error.str()}")
                yield message
            if time.monotonic() - heard_s > ANSWER_S:
                raise UnavailableError(f"Nothing comes of {_named(place)}: is its broker up?")


def _stored(message: Message) -> Stored:
    headers = cast("list[Header]", message.headers() or [])
    return Stored(
        cast(str, message.topic()),
        cast(int, message.partition()),
        cast(int, message.offset()),
        message.timestamp()[1],
        message.key(),
        message.value(),
        headers,
    )


def _named(place: Place) -> str:
    return f"{place[0]}/{place[1]}"
