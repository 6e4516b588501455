"""The loader's side of Kafka: its consumer group, what is read, and what Kafka says of topics and their ends.

Where to read from is told by whoever uses it, each time that partitions are given: the group's own offsets are only
written, for those who look at the lag.
"""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, cast

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.errors import ConfigError, FencedError, UnavailableError
from schemas.record import Stored
from streams.kafka import offsets
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.kafka.known_brokers import LOOK_MS, KnownBrokers
from streams.kafka.partition_reader import Place as Partition
from streams.kafka.partition_reader import stored
from streams.kafka.refusals import require_group, why_absent
from streams.kafka.topics import partition_counts
from streams.process_end import in_background
from streams.settings import Settings
from streams.warehouse.port import Batch, Place
from streams.warehouse.starts import OnKafka, Start

QUEUED_KIB: Final = 16_384
BATCH_RECORDS: Final = 500
SESSION_MS: Final = 10_000
SHUT_OUT_S: Final = SESSION_MS / 1000 + 5.0
"""After this time whoever took our place is a member only if it lives."""

ASK_S: Final = 5.0
DECIDE_S: Final = 60.0
"""A group that has not decided within this time may have lost us: another consumer joins it in our place."""

_END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - its public name
_MOVED: Final = frozenset(
    {
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001 - as above
        KafkaError.OFFSET_OUT_OF_RANGE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - as above
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - as above
    }
)
"""What was to be read is not there: look again what is."""

log = structlog.get_logger()


class Reached(NamedTuple):
    """Everything before this offset has been read."""

    partition: Partition
    offset: int


def require_topics(settings: Settings, topics: Sequence[str]) -> None:
    """Insist on these, by full names, and on the loaders' group, before anything is made for them.

    Raises:
        ConfigError: one does not exist, or may not be read.
        UnavailableError: Kafka cannot be reached.
    """
    admin = connected_admin(settings)
    missing = sorted(set(topics) - partition_counts(admin, topics).keys())
    if missing:
        raise ConfigError("; ".join(f"{name} {why_absent(admin, name)}" for name in missing))
    require_group(admin, group_of(settings), needed="READ")


def group_of(settings: Settings) -> str:
    """The loaders' consumer group."""
    return f"{settings.app_id}-warehouse"


class Source:
    """One member of the loaders' group; used by one thread.

    `alone`: there must be no other one, and whoever comes later takes its place at once: two loaders of two files would
    share the partitions, and neither file would have all.

    Attributes:
        is_changed: partitions were given or taken, or what was read is gone; nothing comes until `go_on` says whence.
    """

    def __init__(self, settings: Settings, topics: Sequence[str], *, alone: bool) -> None:
        self._settings = settings
        self._topics = topics
        self._group = group_of(settings)
        self._own = {"group.instance.id": self._group} if alone else {}
        self._admin: AdminClient | None = None
        self._held: set[Partition] = set()
        self.is_changed = False
        self._join()

    @property
    def ours(self) -> Sequence[Partition] | None:
        """The partitions that the group has given us, perhaps none of them; None while it has not decided."""
        return self._ours

    def poll(self, timeout_s: float) -> Sequence[Stored | Reached]:
        """What has come, in the order of each partition; nothing of it counts when `is_changed` is set with it.

        Raises:
            FencedError: another loader has taken our place.
            UnavailableError: whether it has, Kafka does not tell.
        """
        if self._shut_out_s is not None:
            time.sleep(timeout_s)
            if time.monotonic() - self._shut_out_s < SHUT_OUT_S:
                return []
            self._insist_on_our_place()
        if self._shut_out_s is not None or self._is_lost():
            self._join_anew()
        messages = self._consumer.consume(BATCH_RECORDS, timeout=timeout_s)
        read = [told for message in messages if (told := self._read(message)) is not None]
        return [] if self.is_changed else read

    def look(self) -> dict[Partition, OnKafka]:
        """What Kafka has of the partitions that are ours.

        Raises:
            UnavailableError: it does not tell.
        """
        ids, ours = self.topic_ids(), self._ours or []
        try:
            oldest = offsets.oldest(self._connected(), ours)
            ends = offsets.ends(self._connected(), ours, committed=False)
        except UnavailableError:
            self._admin = None  # it may have lost its brokers, for good
            raise
        return {each: OnKafka(ids[each[0]], oldest[each], ends[each]) for each in ours}

    def topic_ids(self) -> dict[str, str]:
        """Kafka's ids of the topics: one that is made anew has another."""
        asked = self._connected().describe_topics(TopicCollection(list(self._topics)), request_timeout=ASK_S)
        try:
            return {topic: str(future.result().topic_id) for topic, future in asked.items()}
        except KafkaException as error:
            self._admin = None  # as above
            raise UnavailableError(
                f"Kafka does not tell of {', '.join(self._topics)}: {error.args[0].str()}"
            ) from error

    def go_on(self, starts: Mapping[Partition, Start]) -> None:
        """Read from there."""
        if starts:
            self._consumer.assign([TopicPartition(*partition, start.offset) for partition, start in starts.items()])
            self._consumer.resume([TopicPartition(*each) for each in self._held & starts.keys()])
        self._held = set()
        self.is_changed = False

    def hold(self, places: Iterable[Place]) -> None:
        """Read nothing more of these for now, and go on with whatever was held before and is not among them."""
        held = {(each.topic, each.partition) for each in places}
        self._consumer.pause([TopicPartition(*each) for each in held - self._held])
        self._consumer.resume([TopicPartition(*each) for each in self._held - held])
        self._held = held

    def look_again(self) -> None:
        """Read nothing more until somebody says from where."""
        self._consumer.assign([])
        self.is_changed = True

    def commit(self, batches: Iterable[Batch]) -> None:
        """Tell the group how far the warehouse is; nothing rests on it."""
        places = [TopicPartition(each.place.topic, each.place.partition, each.next_offset) for each in batches]
        try:
            self._consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as error:
            log.debug("the lag is not told", why=error.args[0].str())

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _connected(self) -> AdminClient:
        if self._admin is None:
            self._admin = connected_admin(self._settings)
        return self._admin

    def _insist_on_our_place(self) -> None:
        """Let another loader have it, which is a member still.

        None is where a member came back after its session's end: Kafka may take it for another one of its name.
        """
        asked = self._connected().describe_consumer_groups([self._group], request_timeout=ASK_S)
        try:
            members = asked[self._group].result().members
        except KafkaException as error:
            self._admin = None  # as above
            raise UnavailableError(f"Kafka does not tell who loads: {error.args[0].str()}") from error
        if members:
            raise FencedError(f"Another loader of the group {self._group} has begun, and this one ends")

    def _join(self) -> None:
        self._shut_out_s: float | None = None
        self._ours: list[Partition] | None = None
        self._brokers = KnownBrokers()
        self._undecided_s = time.monotonic()
        options = {
            "group.id": self._group,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",  # what goes before it is read must not look as if it had never been there
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "session.timeout.ms": SESSION_MS,
            "queued.max.messages.kbytes": QUEUED_KIB,
            "statistics.interval.ms": LOOK_MS,
            "stats_cb": self._brokers.look,
        }
        self._consumer = Consumer(librdkafka_config(self._settings, **options | self._own))
        self._consumer.subscribe(list(self._topics), on_assign=self._given, on_revoke=self._taken, on_lost=self._taken)

    def _is_lost(self) -> bool:
        return self._brokers.are_lost or (self._ours is None and time.monotonic() - self._undecided_s > DECIDE_S)

    def _join_anew(self) -> None:
        log.warning("waiting for Kafka", why="the consumer has lost it: going on with another")
        lost = self._consumer
        self._admin = None  # it knows no other brokers
        self._join()
        self.is_changed = True
        in_background(lost.close, "lost consumer")  # it might wait for whom it does not know

    def _given(self, consumer: Consumer, partitions: Collection[TopicPartition]) -> None:
        if consumer is self._consumer:
            self._ours = sorted((each.topic, each.partition) for each in partitions)
            self.look_again()

    def _taken(self, consumer: Consumer, _: Collection[TopicPartition]) -> None:
        consumer.unassign()
        if consumer is self._consumer:
            self._ours, self._undecided_s = None, time.monotonic()
            self.is_changed = True

    def _read(self, message: Message) -> Stored | Reached | None:
        error = message.error()
        if error is None:
            return stored(message)
        if error.code() == _END:
            partition = (cast(str, message.topic()), cast(int, message.partition()))
            return Reached(partition, cast(int, message.offset()))
        if error.code() == KafkaError._FATAL:  # noqa: SLF001 - as above; a consumer knows no other than this one
            log.warning("another loader may have begun, waiting for a sign of it", why=error.str())
            self._ours, self._shut_out_s, self.is_changed = None, time.monotonic(), True
            return None
        log.warning("waiting for Kafka", why=error.str())
        if error.code() in _MOVED:
            self.look_again()
        return None
