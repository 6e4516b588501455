"""Reads what a worker must know before it starts on partitions: committed offsets and the ledger topics.

Blocking, on librdkafka: 400,000 entries a second, against 5,000 for a Faust table. Decides nothing.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, cast

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import UnavailableError
from streams.kafka.refusals import is_of_no_group, why_unseen

BATCH_RECORDS = 10_000
TIMEOUT_S = 30.0
POLL_S = 0.1  # `consume` waits so long for a full batch, also when the end was reached

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """One record of a ledger topic; `timestamp_s` is when it was written, in unix seconds."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    timestamp_s: int


Place = tuple[str, int]  # topic, partition


class Committed(NamedTuple):
    """What the group has committed of a place: the offset, negative where there is none, and what stands beside it."""

    offset: int
    mark: str


class LedgerReader:
    """`config` is librdkafka's, without a group."""

    def __init__(self, config: Mapping[str, object], *, group: str) -> None:
        self._config = {
            **config,
            "group.id": group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",  # when the oldest is deleted while we read; by default all is passed over
            "queued.max.messages.kbytes": 32_768,
            "fetch.queue.backoff.ms": 5,  # by default nothing is fetched for a second whenever the queue was full
        }
        self._lock = threading.Lock()  # a restore that a rebalance overtook ends before the next begins

    def next_offsets(self, places: Collection[Place]) -> dict[Place, int]:
        """The next offset to work on of every place; without a committed one, the oldest record there is.

        Raises:
            UnavailableError: it cannot be read, or a place ends before the offset that is next there.
        """
        consumer = Consumer({**self._config, "isolation.level": "read_committed"})
        try:
            committed, led = _stable(consumer, places), _led(consumer, {topic for topic, _ in places})
            return {
                # Of one without leader nothing can be asked, or read: it must not keep us from all others.
                place: _within(consumer, place, offset) if place in led or offset < 0 else offset
                for place, (offset, _) in committed.items()
            }
        finally:
            consumer.close()

    def committed(self, places: Collection[Place]) -> dict[Place, int]:
        """What the group has committed of every place, negative where it has nothing.

        Waits until transactions that hold offsets have ended: a predecessor's last conclusions count or do not, and
        never come later.

        Raises:
            UnavailableError: it cannot be read.
        """
        return {place: offset for place, (offset, _) in self.committed_marks(places).items()}

    def committed_marks(self, places: Collection[Place]) -> dict[Place, Committed]:
        """As `committed`, with what was written beside the offset."""
        consumer = Consumer({**self._config, "isolation.level": "read_committed"})
        try:
            return _stable(consumer, places)
        finally:
            consumer.close()

    def read(
        self, start: Mapping[Place, int], take: Callable[[list[LedgerRecord]], None], is_current: Callable[[], bool]
    ) -> dict[Place, int]:
        """Hand every record from `start` (-1: the oldest) to `take`, up to the present end; return where it ended.

        Waits for transactions that are still open before that end. Gives up, returning nothing, once `is_current` says
        that a rebalance has overtaken it.
        """
        with self._lock:
            consumer = Consumer({**self._config, "isolation.level": "read_committed"})
            try:
                bounds = self._bounds(start)
                left = {place: end for place, (begin, end) in bounds.items() if begin < end}
                consumer.assign([TopicPartition(*place, bounds[place][0]) for place in left])
                heard_s = time.monotonic()
                while left:
                    if not is_current():
                        return {}
                    messages = consumer.consume(BATCH_RECORDS, timeout=POLL_S)
                    heard_s = time.monotonic() if messages else heard_s
                    for records in _records(messages, left):
                        take(records)
                    if time.monotonic() - heard_s > TIMEOUT_S:
                        raise UnavailableError(f"the ledger cannot be read, nothing comes of {_names(left)}")
                return {place: end for place, (_, end) in bounds.items()}
            finally:
                consumer.close()

    def _bounds(self, start: Mapping[Place, int]) -> dict[Place, tuple[int, int]]:
        """From where to where: a read_committed end would stop before an open transaction and hide what comes after."""
        consumer = Consumer({**self._config, "isolation.level": "read_uncommitted"})
        try:
            ends = {place: _watermarks(consumer, place) for place in start}
        finally:
            consumer.close()
        return {place: _bounded(start[place], found) for place, found in ends.items()}


def _bounded(read_to: int, watermarks: tuple[int, int]) -> tuple[int, int]:
    """From where to where: what ends before it was read to was made anew, so all that is in it is news."""
    oldest, end = watermarks
    return (oldest if read_to > end else max(oldest, read_to)), end


def _names(places: Iterable[Place]) -> str:
    return ", ".join(sorted(f"{topic}/{partition}" for topic, partition in places))


def _watermarks(consumer: Consumer, place: Place) -> tuple[int, int]:
    try:
        oldest, end = consumer.get_watermark_offsets(TopicPartition(*place), timeout=TIMEOUT_S)
    except KafkaException as exc:
        problem = _problem(consumer, place[0], exc.args[0])
        raise UnavailableError(f"the ends of {_names([place])} cannot be read: {problem}") from exc
    return oldest, end


def _problem(consumer: Consumer, topic: str, error: KafkaError) -> str:
    """What lies behind `unknown partition`, which is also said of a topic that may not be seen."""
    if error.code() == KafkaError._UNKNOWN_PARTITION:  # noqa: SLF001 - its documented name
        with suppress(KafkaException):
            found = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic]
            return error.str() if found.error is None else f"{topic} {why_unseen(found.error)}"
    return error.str()


def _led(consumer: Consumer, topics: Iterable[str]) -> set[Place]:
    """The partitions that have a leader."""
    try:
        told = [consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic] for topic in topics]
    except KafkaException as exc:
        raise UnavailableError(f"topics cannot be looked up: {exc.args[0].str()}") from exc
    return {(topic.topic, each.id) for topic in told for each in topic.partitions.values() if each.leader >= 0}


def _within(consumer: Consumer, place: Place, committed: int) -> int:
    """Where to start, given what the group has committed."""
    oldest, end = _watermarks(consumer, place)
    if committed > end:
        raise UnavailableError(
            f"{_names([place])} ends at {end}, but the group would go on at {committed}:"
            " was the topic made anew? then reset the group's offset"
        )
    if 0 <= committed < oldest:
        log.error("records were deleted before their turn", place=_names([place]), lost=oldest - committed)
    return max(oldest, committed)


def _stable(consumer: Consumer, places: Collection[Place]) -> dict[Place, Committed]:
    deadline = time.monotonic() + TIMEOUT_S
    wanted = [TopicPartition(*place) for place in places]
    while wanted:
        try:
            found = consumer.committed(wanted, timeout=TIMEOUT_S)
            unstable = [tp for tp in found if tp.error]
            if not unstable:
                return {(tp.topic, tp.partition): Committed(tp.offset, tp.metadata or "") for tp in found}
            problem = str(unstable[0].error)
        except KafkaException as exc:
            problem = exc.args[0].str()
        if time.monotonic() > deadline:
            raise UnavailableError(f"the offsets of the consumer group cannot be read: {problem}")
        time.sleep(0.1)
    return {}


def _records(messages: Iterable[Message], left: dict[Place, int]) -> Iterator[list[LedgerRecord]]:
    """The records of one poll, by place and second; strikes the places that are read to their end off `left`."""
    records = []
    for message in messages:
        place = cast(Place, (message.topic(), message.partition()))
        offset = cast(int, message.offset())
        error = message.error()
        if error is None:
            records.append(LedgerRecord(*place, message.key() or b"", message.value(), message.timestamp()[1] // 1000))
        elif is_of_no_group(error):
            continue
        elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its documented name
            raise UnavailableError(f"the ledger cannot be read: {_names([place])}: {error.str()}")
        if offset + (error is None) >= left.get(place, 0):
            left.pop(place, None)
    for _, group in groupby(records, key=lambda record: (record.topic, record.partition, record.timestamp_s)):
        yield list(group)
