"""What the bulk reader makes of what librdkafka brings: records, ends, and faults."""

from dataclasses import dataclass
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, Message

from schemas.errors import UnavailableError
from streams.kafka.bulk_reader import _records

PLACE = ("events", 3)
END = KafkaError(KafkaError._PARTITION_EOF)


@dataclass(frozen=True, slots=True)
class FakeMessage:
    """A record, or word of a partition's end or of a fault."""

    at: int
    fault: KafkaError | None = None

    def offset(self) -> int:
        """Where it stands."""
        return self.at

    def error(self) -> KafkaError | None:
        """What it says instead of a record."""
        return self.fault


def split(*messages: FakeMessage, position: int = 0) -> tuple[list[int], int]:
    """The offsets of the records, and how far the partition is read with them."""
    records, read_to = _records(cast(list[Message], list(messages)), PLACE, position)
    return [cast(int, record.offset()) for record in records], read_to


def test_records_move_the_position_behind_the_last() -> None:
    """Whatever gaps there are between them."""
    assert ([3, 5, 9], 10) == split(FakeMessage(3), FakeMessage(5), FakeMessage(9))


def test_an_end_moves_it_over_what_shows_no_record() -> None:
    """A transaction's marker is the last offset of many a partition; an end of before moves nothing back."""
    assert ([3], 5) == split(FakeMessage(3), FakeMessage(5, END))
    assert ([], 7) == split(FakeMessage(5, END), position=7)
    assert ([5], 6) == split(FakeMessage(5, END), FakeMessage(5))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (KafkaError._AUTO_OFFSET_RESET, "Records of events/3 were deleted while they were read: run it again"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "events/3 cannot be read: "),
    ],
)
def test_a_fault_names_the_place(code: int, said: str) -> None:
    """What is deleted while it is read must not look as if it had never been there."""
    fault: Any = KafkaError(code)
    with pytest.raises(UnavailableError, match=said):
        split(FakeMessage(3), FakeMessage(4, fault))
