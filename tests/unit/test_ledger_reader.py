"""How polled messages become batches, and when a partition is read to its end."""

from dataclasses import dataclass
from typing import Any, cast

import pytest
import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import UnavailableError
from streams.kafka.ledger_reader import LedgerRecord, Place, _bounded, _records, _within


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


@dataclass(frozen=True, slots=True)
class FakeWatermarks:
    """A consumer that knows where a partition begins and ends."""

    oldest: int = 0
    end: int = 100

    def get_watermark_offsets(self, _: TopicPartition, timeout: float) -> tuple[int, int]:  # noqa: ARG002 - librdkafka's
        """Tell it, or that Kafka does not answer."""
        if self.end < 0:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "timed out"))
        return self.oldest, self.end


def start(committed: int, consumer: FakeWatermarks) -> int:
    """Where work on a partition begins."""
    return _within(cast(Consumer, consumer), ("changes", 3), committed)


@pytest.mark.parametrize(
    ("committed", "oldest", "expected"), [(-1001, 0, 0), (-1001, 40, 40), (40, 40, 40), (50, 40, 50), (100, 0, 100)]
)
def test_work_begins_where_the_group_left_off(committed: int, oldest: int, expected: int) -> None:
    """Or, where it has never been, at the oldest record."""
    with structlog.testing.capture_logs() as lines:
        assert start(committed, FakeWatermarks(oldest)) == expected

    assert lines == []


def test_what_was_deleted_before_its_turn_is_told() -> None:
    """It cannot be had any more; the work goes on with what there is."""
    with structlog.testing.capture_logs() as lines:
        assert start(30, FakeWatermarks(oldest=40)) == 40

    assert [(line["log_level"], line["place"], line["lost"]) for line in lines] == [("error", "changes/3", 10)]


def test_a_partition_that_ends_before_its_next_offset_is_not_begun() -> None:
    """From any other place records would be passed over, or have a second result: somebody must say what is meant."""
    with pytest.raises(UnavailableError, match=r"^changes/3 ends at 100, but the group would go on at 101: .*reset"):
        start(101, FakeWatermarks())


def test_ends_that_cannot_be_read_are_told_with_their_place() -> None:
    """With librdkafka's reason."""
    with pytest.raises(UnavailableError, match=r"^the ends of changes/3 cannot be read: timed out$"):
        start(5, FakeWatermarks(end=-1))


@pytest.mark.parametrize(
    ("read_to", "oldest", "end", "expected"),
    [(-1, 5, 100, (5, 100)), (60, 5, 100, (60, 100)), (3, 5, 100, (5, 100)), (100, 5, 100, (100, 100))],
)
def test_a_ledger_is_read_from_where_it_was_read_before(
    read_to: int, oldest: int, end: int, expected: tuple[int, int]
) -> None:
    """To its end at this moment."""
    assert _bounded(read_to, (oldest, end)) == expected


def test_a_ledger_that_was_made_anew_is_read_whole() -> None:
    """All that is in it is news."""
    assert _bounded(500, (0, 100)) == (0, 100)
