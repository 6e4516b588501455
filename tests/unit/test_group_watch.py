"""What keeps a consumer from its group or its partitions is said while it lasts, and taken off aiokafka's hands."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError
from faust.types import TP

from streams.kafka.group_watch import LOOK_S, PATIENCE_S, GroupWatch
from streams.kafka.lease import Lease
from tests.fake_time import fake_timed


@dataclass(slots=True)
class FakeCluster:
    """As aiokafka's: the partitions' leaders by topic, -1 for none."""

    leaders: dict[str, list[int]]
    unauthorized_topics: set[str] = field(default_factory=set)

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Which there are."""
        return set(range(len(self.leaders[topic]))) if topic in self.leaders else None

    def leader_for_partition(self, tp: TP) -> int | None:
        """Who has it."""
        return self.leaders[tp.topic][tp.partition] if tp.topic in self.leaders else None


@dataclass(slots=True)
class FakeTask:
    """aiokafka's coordination."""

    has_ended: bool = False

    def done(self) -> bool:
        """Whether it has given up."""
        return self.has_ended


class FakeGroupCoordinator:
    """aiokafka's, its client and its subscription in one."""

    def __init__(self, leaders: dict[str, list[int]]) -> None:
        self._client = self._subscription = self
        self.cluster = FakeCluster(leaders)
        self.topics = {"user-changes", "domain-events"}
        self.refusals: list[KafkaError] = []
        self.rejoins = self.updates = 0
        self._coordination_task = FakeTask()

    def assigned_partitions(self) -> set[TP]:
        """What is ours."""
        return {TP(topic, 0) for topic in self.topics}

    def check_errors(self) -> None:
        """Raise what it was refused."""
        if self.refusals:
            raise self.refusals.pop(0)

    def request_rejoin(self) -> None:
        """Count it."""
        self.rejoins += 1

    def force_metadata_update(self) -> None:
        """Count it."""
        self.updates += 1


class World:
    """A worker that has joined its group, unless a test says otherwise."""

    def __init__(self, **leaders: list[int]) -> None:
        self.now_s = 0.0
        self.coordinator: Any = FakeGroupCoordinator({"user-changes": [1, 1], "domain-events": [1, 1]} | leaders)
        self.lease = Lease(10.0, lambda: self.now_s)
        self.watch = GroupWatch(self.coordinator, self.lease, group="group-1")

    def look(self) -> list[str]:
        """What is said when one looks."""
        with structlog.testing.capture_logs() as lines:
            self.watch.look()
        return [line["why"] for line in lines]

    def joined(self) -> "World":
        """The group has just answered."""
        self.lease.renew(self.now_s)
        return self


def test_nothing_is_said_while_all_is_well() -> None:
    """Nor asked for."""
    world = World().joined()

    assert world.look() == []
    assert (world.coordinator.rejoins, world.coordinator.updates) == (0, 0)


def test_a_partition_without_leader_is_named() -> None:
    """Only those that are ours."""
    world = World(**{"user-changes": [-1, 1], "domain-events": [1, -1]}).joined()

    assert world.look() == ["without leader, so not read: user-changes/0: see to the brokers that hold them"]


def test_a_missing_topic_is_named_and_looked_for() -> None:
    """By itself aiokafka looks again after minutes."""
    world = World().joined()
    world.coordinator.topics.add("other")
    world.coordinator.assigned_partitions = set

    assert world.look() == ["other does not exist, so it is not read: run `cio-streams topics create`"]
    assert world.coordinator.updates == 1


def test_a_topic_that_may_not_be_seen_is_told_from_a_missing_one() -> None:
    """To create it would not help."""
    world = World().joined()
    world.coordinator.topics.add("other")
    world.coordinator.assigned_partitions = set
    world.coordinator.cluster.unauthorized_topics.add("other")

    assert world.look() == ["not allowed to see other, so it is not read: allow READ and DESCRIBE on it"]


def test_a_refusal_is_told_and_taken_off_its_hands() -> None:
    """It would wait for that for ever, and send no heartbeat until it has joined anew."""
    world = World().joined()
    world.coordinator.refusals = [GroupAuthorizationFailedError("group-1"), KafkaError("GroupMaxSizeReached")]

    assert world.look() == ["not allowed into consumer group group-1: allow READ on it"]
    assert world.look() == ["consumer group group-1 refuses us: KafkaError: KafkaError: GroupMaxSizeReached"]
    assert world.coordinator.rejoins == 2


def test_a_coordination_that_has_ended_ends_us() -> None:
    """Nothing would bring it back, and a healthy process would do no work."""
    world = World().joined()
    world.coordinator.refusals = [KafkaError("unforeseen")]
    world.coordinator._coordination_task.has_ended = True

    with pytest.raises(KafkaError, match="unforeseen"):
        world.watch.look()


def test_silence_of_the_group_is_told_after_a_while() -> None:
    """Counted from the last time that we were a member."""
    world = World().joined()
    world.now_s = 5
    quiet = world.look()
    world.now_s = 5 + PATIENCE_S
    still_quiet = world.look()
    world.now_s += 1
    told = world.look()

    assert (quiet, still_quiet) == ([], [])
    assert told == ["no word from consumer group group-1 for 16 s; until then nothing is sent"]
    assert world.joined().look() == []


def test_a_first_joining_may_take_a_while() -> None:
    """A group in the middle of a rebalance lets nobody in."""
    world = World()
    world.now_s = PATIENCE_S

    assert world.look() == []

    world.now_s += 1

    assert world.look() != []


@fake_timed
async def test_it_looks_now_and_then() -> None:
    """Until it finds that all is over."""
    world = World().joined()
    world.coordinator.refusals = [KafkaError("unforeseen")]
    world.coordinator._coordination_task.has_ended = True
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    with pytest.raises(KafkaError, match="unforeseen"):
        await world.watch.run()
    assert loop.time() - began_s == pytest.approx(LOOK_S)
