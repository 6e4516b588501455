"""How polled messages become batches, and when a partition is read to its end."""

from dataclasses import dataclass
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, Message

from schemas.errors import UnavailableError
from streams.kafka.ledger_reader import LedgerRecord, Place, _records


@dataclass(frozen=True, slots=True)
class FakeMessage:
    """A message of librdkafka: a record, or word of a partition's end or fault."""

    at: int
    made_ms: int = 5_999
    place: Place = ("people", 0)
    fault: KafkaError | None = None
    content: bytes | None = b"value"

    def topic(self) -> str:
        """Where it is from."""
        return self.place[0]

    def partition(self) -> int:
        """Where it is from."""
        return self.place[1]

    def offset(self) -> int:
        """Where it stands."""
        return self.at

    def error(self) -> KafkaError | None:
        """What it says instead of a record."""
        return self.fault

    def key(self) -> bytes:
        """Whose it is."""
        return b"key-%d" % self.at

    def value(self) -> bytes | None:
        """What is remembered."""
        return self.content

    def timestamp(self) -> tuple[int, int]:
        """When it was written."""
        return 1, self.made_ms


END = KafkaError(KafkaError._PARTITION_EOF)


def batches(*messages: FakeMessage, left: dict[Place, int]) -> list[list[LedgerRecord]]:
    """What is handed over of one poll."""
    return list(_records(cast(list[Message], messages), left))


def test_records_come_by_place_and_second() -> None:
    """In the order of the log: fingerprints of one second share an entry in memory."""
    other = ("events", 1)
    found = batches(
        FakeMessage(0, 5_000),
        FakeMessage(1, 5_999),
        FakeMessage(2, 6_000),
        FakeMessage(0, 6_000, other),
        left={("people", 0): 99, other: 99},
    )

    assert [[(each.topic, each.partition, each.key, each.timestamp_s) for each in batch] for batch in found] == [
        [("people", 0, b"key-0", 5), ("people", 0, b"key-1", 5)],
        [("people", 0, b"key-2", 6)],
        [("events", 1, b"key-0", 6)],
    ]


@pytest.mark.parametrize(
    ("message", "is_done"),
    [
        (FakeMessage(8), False),
        (FakeMessage(9), True),
        (FakeMessage(9, fault=END), False),
        (FakeMessage(10, fault=END), True),
        (FakeMessage(12), True),
    ],
)
def test_a_place_is_done_at_its_end(message: FakeMessage, *, is_done: bool) -> None:
    """With the last record, or where only transaction markers are left; an earlier end is an open transaction's."""
    left: dict[Place, int] = {("people", 0): 10}
    batches(message, left=left)

    assert (left == {}) == is_done


def test_a_tombstone_keeps_its_null() -> None:
    """It forgets a person."""
    ((record,),) = batches(FakeMessage(0, content=None), left={("people", 0): 1})

    assert record.value is None


def test_a_fault_is_told_with_its_place() -> None:
    """Nothing is restored in part and called whole."""
    fault: Any = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(UnavailableError, match="people/0"):
        batches(FakeMessage(0, fault=fault), left={("people", 0): 1})
