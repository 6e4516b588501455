"""When the producer of those who write without a transaction is replaced."""

import orjson
from confluent_kafka import KafkaError, KafkaException

from streams.kafka.known_brokers import LOOKS
from streams.kafka.producer import Headers, LastingProducer, OnDelivery
from tests.unit.test_record_writer import FakeMessage

KNOWN = orjson.dumps({"brokers": {"a": {"source": "internal"}, "b": {"source": "learned"}}}).decode()
LOST = orjson.dumps({"brokers": {"a": {"source": "internal"}, "t": {"source": "logical"}}}).decode()


class FakeOne:
    """Holds what it takes until it is purged."""

    def __init__(self) -> None:
        self.held: list[OnDelivery] = []
        self.is_purged = False
        self.fatal: list[KafkaException] = []

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        *,
        headers: Headers | None,
        on_delivery: OnDelivery | None,
    ) -> None:
        """Take a record."""
        assert (topic, value, key, partition, headers) == ("t", b"v", b"k", -1, [("h", b"1")])
        assert on_delivery is not None
        self.held.append(on_delivery)

    def poll(self, timeout: float) -> int:
        """Tell of what was let go."""
        assert timeout >= 0
        if self.fatal:
            raise self.fatal.pop()
        while self.is_purged and self.held:
            self.held.pop()(KafkaError(KafkaError._PURGE_QUEUE), FakeMessage(0))  # type: ignore[arg-type]  # as far as needed
        return 0

    def purge(self) -> None:
        """Let go."""
        self.is_purged = True

    def __len__(self) -> int:
        return len(self.held)


def failures_after(*statistics: str) -> tuple[int, int]:
    """How many records have failed, and how many producers there were, when these were seen in turn."""
    made: list[FakeOne] = []
    looks = []
    failures: list[KafkaError | None] = []

    def create(look: object) -> FakeOne:
        looks.append(look)
        made.append(FakeOne())
        return made[-1]

    producer = LastingProducer(create)
    producer.produce("t", b"v", b"k", headers=[("h", b"1")], on_delivery=lambda error, _: failures.append(error))
    for each in statistics:
        looks[-1](each)  # type: ignore[operator]  # it is called back
        producer.poll(0)
    return len(failures), len(made)


def test_who_knows_no_broker_for_long_is_replaced() -> None:
    """What it held has failed then, and nothing is left behind."""
    assert failures_after(*[LOST] * LOOKS) == (1, 2)


def test_who_finds_a_broker_again_is_kept() -> None:
    """To begin anew takes a moment; transactions' and internal ones are no brokers to ask."""
    assert failures_after(*[LOST] * (LOOKS - 1), KNOWN, *[LOST] * (LOOKS - 1)) == (0, 1)


def test_who_is_beyond_help_is_replaced() -> None:
    """What it held has failed; it tells so once, be it while it is let go."""
    made: list[FakeOne] = []
    failures: list[KafkaError | None] = []

    def create(_: object) -> FakeOne:
        made.append(FakeOne())
        return made[-1]

    producer = LastingProducer(create)
    producer.produce("t", b"v", b"k", headers=[("h", b"1")], on_delivery=lambda error, _: failures.append(error))
    made[0].fatal = [KafkaException(KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True))] * 2
    producer.poll(0)

    assert (1, 2) == (len(failures), len(made))


def test_flushing_tells_what_is_left() -> None:
    """Within its time."""
    producer = LastingProducer(lambda _: FakeOne())
    producer.produce("t", b"v", b"k", headers=[("h", b"1")], on_delivery=lambda *_: None)

    assert producer.flush(0.01) == 1
    producer.purge()
    assert producer.flush(1) == 0
