"""Kafka transactions on librdkafka: what goes into one, how its failures are told apart, how a doubt is resolved.

Blocking; runs in the journal's thread.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NoReturn, Self

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from agents.ports import Publication
from schemas.chunk import Membership
from schemas.errors import FencedError, UnavailableError
from schemas.send_memory import pack_entry
from streams.kafka import topic_plan
from streams.kafka.abort_causes import AbortCause, abort_cause
from streams.kafka.ledger_reader import Committed, LedgerReader, Place
from streams.kafka.transaction_calls import again, produce
from streams.settings import Settings

TRANSACTION_TIMEOUT_MS = 10_000  # so long may a killed worker's transaction hold its partitions
CALL_S = 15.0
MESSAGE_BYTES_MAX = 16_777_216  # the brokers' own limit is what counts

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTopics:
    """The full names of what workers write."""

    results: str
    letters: str
    people: str
    events: str
    sends: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Give them with the prefix that is set."""
        return cls(
            results=settings.topic(topic_plan.RESULTS),
            letters=settings.topic(topic_plan.DLQ),
            people=settings.topic(topic_plan.LEDGER_PEOPLE),
            events=settings.topic(topic_plan.LEDGER_EVENTS),
            sends=settings.topic(topic_plan.LEDGER_SENDS),
        )

    def ledger(self) -> list[str]:
        """Those that are read back."""
        return [self.people, self.events, self.sends]

    def written(self, *, with_sends: bool) -> list[str]:
        """All that a worker writes, with a key for the App API or without."""
        return [self.results, self.letters, self.people, self.events, *([self.sends] if with_sends else [])]


def group_metadata(group: str, membership: Membership) -> bytes:
    """What `send_offsets_to_transaction` fences by: the bytes of confluent-kafka's `consumer_group_metadata()`.

    `CGMDv2:`, generation (int32, little endian), group id, 0, member id, 0, and 1 for "no instance id follows"; a test
    holds this against a real consumer's.
    """
    generation = membership.generation.to_bytes(4, "little", signed=True)
    return b"CGMDv2:" + generation + group.encode() + b"\0" + membership.member_id.encode() + b"\0\x01"


class TransactionWriter:
    """One transactional producer, made anew after an error, to whose text `advise` appends what helps.

    `aborted` hears of every try that failed, in the thread that writes.

    After an error whose outcome is unknown the next try first asks what the group has committed of each partition: the
    offset, and beside it our mark, with the serial of the last publication that was committed with it. What was
    committed after all is not written again, be it with an offset that has not moved.
    """

    def __init__(
        self,
        config: Mapping[str, object],
        *,
        group: str,
        transactional_id: str,
        topics: OutputTopics,
        reader: LedgerReader,
        advise: Callable[[KafkaError], str] = lambda _: "",
        aborted: Callable[[AbortCause], None] = lambda _: None,
    ) -> None:
        self._config = {
            **config,
            "transactional.id": transactional_id,
            "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
            "compression.type": "lz4",
            "linger.ms": 2,
            "message.max.bytes": MESSAGE_BYTES_MAX,
            "queue.buffering.max.messages": 1_000_000,
        }
        self._advise = advise
        self._tell = aborted
        self._group = group
        self._writer_id = transactional_id
        self._topics = topics
        self._reader = reader
        self._producer: Producer | None = None
        self._in_doubt = False

    def write(self, publications: Sequence[Publication], membership: Membership) -> None:
        """Commit all in one transaction.

        Raises:
            FencedError: the group has moved on from this membership.
            UnavailableError: not committed, or not known; call again with the same.
        """
        try:
            producer = self._ready_producer()
            left = self._uncommitted(publications) if self._in_doubt else publications
            self._in_doubt = False
            if left:
                self._transact(producer, left, membership)
        except KafkaException as exc:
            self._translate(exc)

    def _ready_producer(self) -> Producer:
        if self._producer is None:
            producer = Producer(self._config)
            producer.init_transactions(CALL_S)
            self._producer = producer
        return self._producer

    def _uncommitted(self, publications: Sequence[Publication]) -> list[Publication]:
        committed = self._reader.committed_marks({_place(p) for p in publications})
        return [p for p in publications if not self._is_in(committed[_place(p)], p)]

    def _is_in(self, committed: Committed, publication: Publication) -> bool:
        if publication.moves:
            return committed.offset >= publication.chunk.next_offset
        # Of an offset that does not move only our mark can tell; under another's we are fenced, as the try will say.
        return self._serial_in(committed.mark) >= publication.serial

    def _serial_in(self, mark: str) -> int:
        writer_id, _, serial = mark.rpartition(" ")
        return int(serial) if writer_id == self._writer_id and serial.isdecimal() else -1

    def _transact(self, producer: Producer, publications: Sequence[Publication], membership: Membership) -> None:
        producer.begin_transaction()
        for publication in publications:
            self._produce(producer, publication)
        offsets = self._offsets(publications)
        metadata = group_metadata(self._group, membership)
        again(lambda: producer.send_offsets_to_transaction(offsets, metadata, CALL_S))
        again(lambda: producer.commit_transaction(CALL_S))

    def _offsets(self, publications: Sequence[Publication]) -> list[TopicPartition]:
        """Of each partition the highest, marked with the last publication that goes with it."""
        highest: dict[Place, tuple[int, int]] = {}
        for each in publications:
            offset, serial = highest.get(_place(each), (-1, -1))
            own = each.chunk.next_offset if each.moves else each.chunk.start
            highest[_place(each)] = max(offset, own), max(serial, each.serial)
        return [
            TopicPartition(*place, offset, metadata=f"{self._writer_id} {serial}")
            for place, (offset, serial) in highest.items()
        ]

    def _produce(self, producer: Producer, publication: Publication) -> None:
        topics, partition = self._topics, publication.chunk.partition
        for (key, value), headers in zip(publication.results, publication.traces or repeat(None)):  # noqa: B905 - one is endless
            produce(producer, topics.results, partition, key=key, value=value, headers=headers)
        for key, value in publication.people:
            produce(producer, topics.people, partition, key=key, value=value)
        for fingerprint in publication.events:
            produce(producer, topics.events, partition, key=fingerprint, value=b"")
        for key, entry in publication.sends:
            produce(producer, topics.sends, partition, key=key, value=pack_entry(entry))
        for key, original, headers in publication.letters:
            produce(producer, topics.letters, partition, key=key, value=original, headers=headers)

    def _translate(self, exc: KafkaException) -> NoReturn:
        error: KafkaError = exc.args[0]
        cause = abort_cause(error)
        self._tell(cause)
        is_undone = error.txn_requires_abort() and self._aborted()
        self._in_doubt |= not is_undone
        self._producer = None  # after some errors the next transaction of the same producer fails as well
        if is_undone and cause == "fenced":
            raise FencedError(error.str()) from exc
        raise UnavailableError(f"{error.name()}: {error.str()}{self._advise(error)}") from exc

    def _aborted(self) -> bool:
        producer = self._producer
        assert producer is not None  # noqa: S101 - only a transaction that was begun can require an abort
        try:
            again(lambda: producer.abort_transaction(CALL_S))
        except KafkaException as exc:
            log.warning("abort failed, starting a new producer", error=exc.args[0].str())
            return False
        return True


def _place(publication: Publication) -> Place:
    return publication.chunk.topic, publication.chunk.partition
