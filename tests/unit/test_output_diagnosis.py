"""What is wrong with an output topic is said with its name and with what helps."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin import AclOperation  # type: ignore[attr-defined] # public by its documentation only

from streams.kafka.output_diagnosis import OutputDiagnosis, _fault, _refusal
from streams.kafka.roles import ROLES, Role
from streams.kafka.transactions import OutputTopics
from streams.settings import Settings


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
    assert _fault(FakeDescription(authorized_operations=operations), AclOperation.WRITE) is None


@pytest.mark.parametrize("nobody", [None, FakeNode(-1)])
def test_partitions_without_leader_are_listed(nobody: FakeNode | None) -> None:
    """All of them."""
    partitions = [FakePartition(0, FakeNode(1)), FakePartition(1, nobody), FakePartition(3, nobody)]

    fault = _fault(FakeDescription(partitions), AclOperation.WRITE)

    assert fault == "has no leader for partition 1, 3: see to the brokers that hold it"


@pytest.mark.parametrize(
    ("allowed", "needed"), [(AclOperation.READ, AclOperation.WRITE), (AclOperation.WRITE, AclOperation.READ)]
)
def test_a_topic_on_which_too_little_is_allowed_is_told(allowed: AclOperation, needed: AclOperation) -> None:
    """With what to allow."""
    fault = _fault(FakeDescription(authorized_operations=[allowed]), needed)

    assert fault == f"is out of reach: allow {needed.name} on it"


@pytest.mark.parametrize("needed", [AclOperation.READ, AclOperation.WRITE])
def test_a_topic_that_is_hidden_is_told(needed: AclOperation) -> None:
    """As a broker hides it from who may do nothing with it."""
    fault = _refusal(KafkaError.TOPIC_AUTHORIZATION_FAILED, needed)

    assert fault == f"may not be seen: allow {needed.name} on it"


@pytest.mark.parametrize(
    ("code", "helps"),
    [
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "; allow READ on the group group-1"),
        (
            KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            "; allow WRITE and DESCRIBE on transactional ids that begin with group-1-",
        ),
        (KafkaError.MSG_SIZE_TOO_LARGE, "; raise that topic's max.message.bytes"),
    ],
)
def test_an_error_that_tells_all_is_not_looked_into(code: int, helps: str) -> None:
    """Nobody is asked."""
    diagnosis = OutputDiagnosis({}, written=["results"], read=["changes"], group="group-1")

    assert diagnosis.advice(KafkaError(code)) == helps


@pytest.mark.parametrize(("role", "with_sends"), [("worker", False), ("worker-with-sends", True)])
def test_no_right_is_asked_for_that_the_role_does_not_need(role: Role, *, with_sends: bool) -> None:
    """What is looked into is what `cio-streams acls` lets it write."""
    needed = {each.name for each in ROLES[role] if (each.operation, each.kind) == ("WRITE", "topic")}

    assert needed == set(OutputTopics.of(Settings()).written(with_sends=with_sends))
