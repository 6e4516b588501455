"""Kafka transactions on librdkafka: what goes into one, how its failures are told apart, how a doubt is resolved.

Blocking; runs in the journal's thread.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from agents.ports import Publication
from schemas.chunk import Membership
from schemas.errors import FencedError, UnavailableError
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.transaction_calls import again, produce

TRANSACTION_TIMEOUT_MS = 10_000  # so long may a killed worker's transaction hold its partitions
CALL_S = 15.0
MESSAGE_BYTES_MAX = 16_777_216  # the brokers' own limit is what counts

_FENCED = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTopics:
    """The full names of what workers write."""

    results: str
    letters: str
    people: str
    events: str

    def names(self) -> list[str]:
        """All of them."""
        return [self.results, self.letters, self.people, self.events]


def group_metadata(group: str, membership: Membership) -> bytes:
    """What `send_offsets_to_transaction` fences by: the bytes of confluent-kafka's `consumer_group_metadata()`.

    `CGMDv2:`, generation (int32, little endian), group id, 0, member id, 0, and 1 for "no instance id follows"; a test
    holds this against a real consumer's.
    """
    generation = membership.generation.to_bytes(4, "little", signed=True)
    return b"CGMDv2:" + generation + group.encode() + b"\0" + membership.member_id.encode() + b"\0\x01"


class TransactionWriter:
    """One transactional producer, made anew after an error, to whose text `advise` appends what helps.

    After an error whose outcome is unknown the next try first asks the group's committed offsets, which move only with
    the results: what was committed after all is not written again.
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
        self._group = group
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
        committed = self._reader.committed({(p.chunk.topic, p.chunk.partition) for p in publications})
        return [p for p in publications if committed[p.chunk.topic, p.chunk.partition] < p.chunk.next_offset]

    def _transact(self, producer: Producer, publications: Sequence[Publication], membership: Membership) -> None:
        producer.begin_transaction()
        for publication in publications:
            self._produce(producer, publication)
        offsets = [TopicPartition(p.chunk.topic, p.chunk.partition, p.chunk.next_offset) for p in publications]
        metadata = group_metadata(self._group, membership)
        again(lambda: producer.send_offsets_to_transaction(offsets, metadata, CALL_S))
        again(lambda: producer.commit_transaction(CALL_S))

    def _produce(self, producer: Producer, publication: Publication) -> None:
        topics, partition = self._topics, publication.chunk.partition
        for key, value in publication.results:
            produce(producer, topics.results, partition, key=key, value=value)
        for key, value in publication.people:
            produce(producer, topics.people, partition, key=key, value=value)
        for fingerprint in publication.events:
            produce(producer, topics.events, partition, key=fingerprint, value=b"")
        for key, original, headers in publication.letters:
            produce(producer, topics.letters, partition, key=key, value=original, headers=headers)

    def _translate(self, exc: KafkaException) -> NoReturn:
        error: KafkaError = exc.args[0]
        if error.txn_requires_abort() and self._aborted():
            if error.code() in _FENCED:
                raise FencedError(error.str()) from exc
        else:
            self._in_doubt = True
        self._producer = None  # after some errors the next transaction of the same producer fails as well
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
