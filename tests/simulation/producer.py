"""A transactional producer as librdkafka's, on the simulated Kafka; some of its transactions end as the seed wants."""

from collections.abc import Callable, Sequence
from typing import NoReturn

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from schemas.chunk import Membership
from tests.simulation.kafka import Broker, Tp, Written
from tests.simulation.loop import block

PREFIX = b"CGMDv2:"
FATES = ("aborted", "committed, not told", "not committed, not told", "fatal")


class SimulatedProducer:
    """`is_cut` when the broker cannot be reached from where it runs."""

    def __init__(self, broker: Broker, transactional_id: str, is_cut: Callable[[], bool]) -> None:
        self._broker = broker
        self._id = transactional_id
        self._is_cut = is_cut
        self._written: list[Written] = []
        self._offsets: dict[Tp, int] = {}
        self._epoch = 0

    def init_transactions(self, timeout_s: float) -> None:
        """Abort what an earlier producer of this id left open, and fence it."""
        self._reach(timeout_s)
        self._broker.abort(self._id)
        self._broker.epochs[self._id] += 1
        self._epoch = self._broker.epochs[self._id]

    def begin_transaction(self) -> None:
        """Start collecting."""
        self._written, self._offsets = [], {}

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        headers: Sequence[tuple[str, bytes]] | None = None,
        *,
        timestamp: int = 0,  # noqa: ARG002 - librdkafka's signature: now
    ) -> None:
        """Collect a record."""
        self._written.append(
            Written(topic=topic, partition=partition, key=key, value=value, headers=tuple(headers or ()))
        )

    def send_offsets_to_transaction(self, offsets: Sequence[TopicPartition], metadata: bytes, timeout_s: float) -> None:
        """Have the group check who we are."""
        self._reach(timeout_s)
        membership = _membership(metadata)
        if not self._broker.group.is_known(membership.member_id):
            _fail(KafkaError.UNKNOWN_MEMBER_ID, needs_abort=True)
        if membership.generation != self._broker.group.generation:
            _fail(KafkaError.ILLEGAL_GENERATION, needs_abort=True)
        self._offsets = {(each.topic, each.partition): each.offset for each in offsets}

    def commit_transaction(self, timeout_s: float) -> None:
        """Commit, or end otherwise."""
        self._reach(timeout_s)
        chance = self._broker.random
        if chance.random() >= self._broker.trouble:
            self._commit()
            return
        match chance.choice(FATES):
            case "aborted":
                _fail(KafkaError.INVALID_TXN_STATE, needs_abort=True)
            case "committed, not told":
                self._commit()
                block(chance.uniform(0.1, timeout_s))
                _fail(KafkaError._TIMED_OUT)  # its documented name
            case "not committed, not told":
                self._broker.hang(self._id, self._offsets)
                block(chance.uniform(0.1, timeout_s))
                _fail(KafkaError._TIMED_OUT)
            case _:
                _fail(KafkaError._FENCED, is_fatal=True)

    def abort_transaction(self, timeout_s: float) -> None:
        """Forget what was collected."""
        self._reach(timeout_s)
        self._written, self._offsets = [], {}

    def _commit(self) -> None:
        assert self._epoch == self._broker.epochs[self._id], "a fenced producer commits"
        self._broker.commit(self._written, self._offsets)
        block(self._broker.random.uniform(0.001, 0.02))

    def _reach(self, timeout_s: float) -> None:
        if self._is_cut():
            block(min(timeout_s, 3.0))
            _fail(KafkaError._TIMED_OUT)


def _membership(metadata: bytes) -> Membership:
    assert metadata.startswith(PREFIX)
    generation, rest = metadata[len(PREFIX) : len(PREFIX) + 4], metadata[len(PREFIX) + 4 :]
    return Membership(int.from_bytes(generation, "little", signed=True), rest.split(b"\0")[1].decode())


def _fail(code: int, *, needs_abort: bool = False, is_fatal: bool = False) -> NoReturn:
    raise KafkaException(KafkaError(code, "simulated", is_fatal, False, needs_abort))  # noqa: FBT003 - its signature
