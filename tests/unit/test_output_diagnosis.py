"""What is wrong with an output topic is said with its name and with what helps."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin import AclOperation  # type: ignore[attr-defined] # public by its documentation only

from streams.kafka.output_diagnosis import OutputDiagnosis, _fault


@dataclass(frozen=True, slots=True)
class FakeNode:
    """A broker."""

    id: int


@dataclass(frozen=True, slots=True)
class FakePartition:
    """A partition and who has it."""

    id: int
    leader: FakeNode | None


@dataclass(frozen=True, slots=True)
class FakeDescription:
    """A topic as the admin client describes it."""

    partitions: Sequence[FakePartition] = (FakePartition(0, FakeNode(1)), FakePartition(1, FakeNode(2)))
    authorized_operations: Sequence[AclOperation] = field(default=(AclOperation.READ, AclOperation.WRITE))


@pytest.mark.parametrize("operations", [(AclOperation.WRITE,), ()])
def test_a_topic_as_it_should_be_has_no_fault(operations: Sequence[AclOperation]) -> None:
    """Whether or not the brokers tell what is allowed."""
    assert _fault(FakeDescription(authorized_operations=operations)) is None


@pytest.mark.parametrize("nobody", [None, FakeNode(-1)])
def test_partitions_without_leader_are_listed(nobody: FakeNode | None) -> None:
    """All of them."""
    partitions = [FakePartition(0, FakeNode(1)), FakePartition(1, nobody), FakePartition(3, nobody)]

    assert _fault(FakeDescription(partitions)) == "has no leader for partition 1, 3: see to the brokers that hold it"


def test_a_topic_that_may_only_be_read_is_told() -> None:
    """With what to allow."""
    fault = _fault(FakeDescription(authorized_operations=[AclOperation.READ]))

    assert fault == "may not be written: allow WRITE on it"


@pytest.mark.parametrize(
    ("code", "helps"),
    [
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "; allow READ on the group group-1"),
        (
            KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            "; allow WRITE and DESCRIBE on transactional ids that begin as id-1 does",
        ),
        (KafkaError.MSG_SIZE_TOO_LARGE, "; raise that topic's max.message.bytes"),
    ],
)
def test_an_error_that_tells_all_is_not_looked_into(code: int, helps: str) -> None:
    """Nobody is asked."""
    diagnosis = OutputDiagnosis({}, ["results"], group="group-1", transactional_id="id-1")

    assert diagnosis.advice(KafkaError(code)) == helps
