"""Reads a partition as fast as librdkafka brings it, in large batches, for commands that look at millions of records.

Blocking. Shows what is committed, and never joins a group; memory is that of a few fetches, however large records are.
"""

import time
from collections.abc import Iterator
from typing import Final, Self, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import UnavailableError
from streams.kafka.clients import librdkafka_config
from streams.kafka.partition_reader import Place
from streams.kafka.refusals import is_of_no_group
from streams.settings import Settings

BATCH_RECORDS: Final = 2_000  # more of them fill no batch sooner, but fall out of the processor's cache
QUEUED_RECORDS: Final = 50_000
QUEUED_KIB: Final = 16_384
QUEUE_FULL_MS: Final = 5  # by default nothing is fetched for a second whenever the queue was full
POLL_S: Final = 0.05  # a batch is what comes in this time, so large records make small batches
SILENCE_S: Final = 30.0  # longer than a worker's transaction may stay open


class BulkReader:
    """One consumer, used by one thread; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._known: set[str] = set()
        self._consumer = Consumer(
            librdkafka_config(
                settings,
                **{
                    "group.id": f"{settings.app_id}-commands",  # librdkafka wants one; nothing is committed under it
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "auto.offset.reset": "error",  # records that go while they are read must not look as if never there
                    "isolation.level": "read_committed",
                    "queued.min.messages": QUEUED_RECORDS,
                    "queued.max.messages.kbytes": QUEUED_KIB,
                    "fetch.queue.backoff.ms": QUEUE_FULL_MS,
                    "fetch.wait.max.ms": 10,  # so long does the last partition's fetch keep the next one's waiting
                },
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def read(self, place: Place, start: int, end: int) -> Iterator[list[Message]]:
        """Yield the records from `start` to before `end`, in order; waits for transactions still open before `end`.

        Raises:
            UnavailableError: nothing comes for a while, or what was to be read has been deleted.
        """
        if start >= end:
            return
        self._learn(place[0])
        self._consumer.assign([TopicPartition(*place, start)])
        heard_s = time.monotonic()
        try:
            while start < end:
                # Not more than can come: what is asked for beyond that is waited for until the time is over.
                messages = self._consumer.consume(min(BATCH_RECORDS, end - start), timeout=POLL_S)
                if messages:
                    records, start = _records(messages, place, start)
                    if records:
                        yield records if start <= end else [each for each in records if cast(int, each.offset()) < end]
                    heard_s = time.monotonic()
                elif time.monotonic() - heard_s > SILENCE_S:
                    raise UnavailableError(
                        f"Nothing more comes of {place[0]}/{place[1]}: its broker is down, or a transaction stays open"
                    )
        finally:
            self._consumer.unassign()

    def _learn(self, topic: str) -> None:
        """Ask who leads a topic's partitions: else librdkafka asks by itself, up to a second later."""
        if topic in self._known:
            return
        try:
            self._consumer.list_topics(topic, timeout=SILENCE_S)
        except KafkaException as error:
            raise UnavailableError(f"Kafka does not tell of {topic}: {error.args[0].str()}") from error
        self._known.add(topic)


def _records(messages: list[Message], place: Place, position: int) -> tuple[list[Message], int]:
    """What of the messages is a record, and the offset up to which the partition is read with them."""
    if any(message.error() is not None for message in messages):
        records = []
        for message in messages:
            error = message.error()
            if error is None:
                records.append(message)
            elif is_of_no_group(error):
                continue
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                position = max(position, cast(int, message.offset()))
            else:
                raise UnavailableError(_told(place, error))
    else:
        records = messages
    return records, max(position, cast(int, records[-1].offset()) + 1 if records else position)


def _told(place: Place, error: KafkaError) -> str:
    if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - its public name
        return f"Records of {place[0]}/{place[1]} were deleted while they were read: run it again"
    return f"{place[0]}/{place[1]} cannot be read: {error.str()}"
