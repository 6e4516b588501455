"""Reads partitions from one offset to another, in flat memory, for commands that look at what lies on Kafka.

Blocking. Shows what is committed, unless asked for everything, and never joins a group.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Self, TypeVar, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import ConfigError, UnavailableError
from schemas.record import Header, Stored
from streams.kafka.clients import LIBRDKAFKA_LOGGER, connected_admin, librdkafka_config
from streams.kafka.refusals import is_of_no_group, why_unseen
from streams.settings import Settings

QUEUED_KIB = 32_768  # bounds the memory, beside as much again in a batch and one record of whatever size
BATCH_RECORDS = 200
QUEUE_FULL_MS = 5  # by default nothing is fetched for a second whenever the queue was full
ANSWER_S = 15.0
SETTLE_S = 30.0  # so long may a killed command's, or worker's, transaction stay open, the broker's scan included
POLL_S = 0.5

_ABSENT = frozenset({KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC})  # noqa: SLF001 - their public names
_PASSING = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})

T = TypeVar("T")
Place = tuple[str, int]  # full name of a topic, partition


class GoneError(UnavailableError):
    """Records were deleted before they could be read, or while they were."""


def stored(message: Message) -> Stored:
    """A message that librdkafka brought, as it lies on Kafka."""
    return Stored(
        cast(str, message.topic()),
        cast(int, message.partition()),
        cast(int, message.offset()),
        message.timestamp()[1],
        message.key(),
        message.value(),
        _headers(message),
    )


class PartitionReader:
    """Used by one thread for one `read` at a time; a context manager. A question waits for `answer_s` at most.

    `everything` shows also what was rolled back, or is not committed yet: every byte that lies there.
    """

    def __init__(self, settings: Settings, *, answer_s: float = ANSWER_S, everything: bool = False) -> None:
        self._settings = settings
        self._answer_s = answer_s
        self._isolation_level = "read_uncommitted" if everything else "read_committed"
        self._reading: object = None
        self._is_closed = False

    def __enter__(self) -> Self:
        """Reach Kafka.

        Raises:
            ConfigError: librdkafka refuses the settings.
            UnavailableError: Kafka cannot be reached, with the reason.
        """
        connected_admin(self._settings)
        self._consumer = self._create(self._isolation_level)
        self._uncommitted = self._create("read_uncommitted")
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed = True
        self._consumer.close()
        self._uncommitted.close()

    def _create(self, isolation_level: str) -> Consumer:
        silent = logging.getLogger(f"{LIBRDKAFKA_LOGGER}.reader")
        silent.disabled = True  # what it has to say comes as an error
        own = {
            "group.id": f"{self._settings.app_id}-commands",  # librdkafka wants one; nothing is committed under it
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",  # records that go while they are read must not look as if never there
            "isolation.level": isolation_level,
            "queued.max.messages.kbytes": QUEUED_KIB,
            "fetch.queue.backoff.ms": QUEUE_FULL_MS,
            "fetch.wait.max.ms": 10,
        }
        return Consumer(librdkafka_config(self._settings, logger=silent, **own))

    def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic (full name).

        Raises:
            ConfigError: it does not exist.
            UnavailableError: Kafka does not answer.
        """
        try:
            found = self._consumer.list_topics(topic, timeout=self._answer_s).topics[topic]
        except KafkaException as error:
            raise UnavailableError(f"Kafka does not tell of {topic}: {error.args[0].str()}") from error
        if found.error is not None or not found.partitions:
            raise ConfigError(f"{topic} {why_unseen(found.error)}")
        return sorted(found.partitions)

    def bounds(self, place: Place) -> tuple[int, int]:
        """The oldest offset there, and the one after the last committed record; before an open transaction it stops."""
        return self._bounds(self._consumer, place)

    def offset_at(self, place: Place, timestamp_ms: int) -> int:
        """The first offset whose record is not older than this; the end when all are."""
        wanted = TopicPartition(*place, timestamp_ms)
        (found,) = self._answered(
            lambda: self._consumer.offsets_for_times([wanted], timeout=self._answer_s),
            f"{_named(place)} cannot be searched",
        )
        if found.error is not None:
            raise UnavailableError(f"{_named(place)} cannot be searched: {found.error.str()}")
        return found.offset if found.offset >= 0 else self.bounds(place)[1]

    def read(
        self,
        place: Place,
        start: int | None = None,
        end: int | None = None,
        *,
        bounds: tuple[int, int] | None = None,
    ) -> Iterator[Stored]:
        """Yield the committed records from `start` (the oldest) to before `end` (the present one), in order.

        Whoever goes by `bounds` that were asked for before gives them: all between them is read, or it raises.

        Raises:
            GoneError: some of them have been deleted meanwhile; those before were yielded.
            UnavailableError: nothing comes for a while.
        """
        oldest, last = bounds or self.bounds(place)
        first = oldest if start is None else max(oldest, start)
        yield from self._read(place, first, last if end is None else min(last, end), self._answer_s)

    def read_settled(self, place: Place, start: int | None = None) -> Iterator[Stored]:
        """Yield all committed records from `start` (the oldest) on, those that were committed just now too.

        It waits for transactions to end: Kafka answers a commit a little before those who read committed see it.

        Raises:
            GoneError: as above.
            UnavailableError: nothing comes for a while.
        """
        oldest, last = self._bounds(self._uncommitted, place)
        yield from self._read(place, oldest if start is None else max(oldest, start), last, SETTLE_S)

    def _read(self, place: Place, first: int, until: int, patience_s: float) -> Iterator[Stored]:
        if first >= until:
            return
        assert self._reading is None, "one read at a time: the other one's records would be lost"  # noqa: S101 - as it says
        self._reading = place
        self._consumer.assign([TopicPartition(*place, first)])
        try:
            for message in self._messages(place, patience_s):
                if message.error() is None and cast(int, message.offset()) < until:
                    yield stored(message)
                if cast(int, message.offset()) >= until - (message.error() is None):
                    return
        finally:
            if not self._is_closed:  # else whoever took the records has left, and this generator goes last
                self._consumer.unassign()
            self._reading = None

    def _messages(self, place: Place, patience_s: float) -> Iterator[Message]:
        heard_s = time.monotonic()
        while time.monotonic() - heard_s < patience_s:
            first = self._consumer.poll(POLL_S)
            if first is None:
                continue
            # What has come already, and no more: `consume` waits until it has all, or its time-out has passed.
            for message in (first, *self._consumer.consume(BATCH_RECORDS, timeout=0)):
                error = message.error()
                if error is not None and is_of_no_group(error):
                    continue
                if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    raise _told(place, error)
                yield message
            heard_s = time.monotonic()  # not before: who takes the records may take long
        raise UnavailableError(f"Nothing comes of {_named(place)}: is its broker up, or a transaction left open?")

    def _bounds(self, consumer: Consumer, place: Place) -> tuple[int, int]:
        def ask() -> tuple[int, int]:
            try:
                return consumer.get_watermark_offsets(TopicPartition(*place), timeout=self._answer_s)
            except KafkaException as error:
                if error.args[0].code() in _ABSENT:
                    self.partitions(place[0])  # says so if it is missing, or hidden from us
                raise

        return self._answered(ask, f"The ends of {_named(place)} cannot be read")

    def _answered(self, ask: Callable[[], T], complaint: str) -> T:
        """Ask, and again while a partition has no leader yet, or another one."""
        deadline = time.monotonic() + self._answer_s
        while True:
            try:
                return ask()
            except KafkaException as error:
                if error.args[0].code() not in _PASSING or time.monotonic() > deadline:
                    raise UnavailableError(f"{complaint}: {error.args[0].str()}") from error
            time.sleep(POLL_S)


def _headers(message: Message) -> Sequence[Header]:
    """Empty where a name is not UTF-8: confluent-kafka then gives none at all. A worker's letter has no such name."""
    try:
        return cast("list[Header]", message.headers() or [])
    except UnicodeDecodeError:
        return []


def _told(place: Place, error: KafkaError) -> UnavailableError:
    if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - its public name
        return GoneError(f"Records of {_named(place)} were deleted while they were read: run it again")
    return UnavailableError(f"{_named(place)} cannot be read: {error.str()}")


def _named(place: Place) -> str:
    return f"{place[0]}/{place[1]}"
