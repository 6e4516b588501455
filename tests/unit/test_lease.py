"""How long a worker may send: one session beyond the last heartbeat answered, and never longer than the group says."""

import asyncio
import math
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError
from faust.types import TP

from schemas import chunk
from streams.kafka import lease, transport
from tests import fake_time

SESSION_S = 10.0


@dataclass(slots=True)
class Clock:
    """Stands still between two steps."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s


def test_nothing_is_held_before_the_group_has_answered() -> None:
    """A worker that is in no group may send nothing."""
    assert not lease.Lease(SESSION_S, Clock(-math.inf)).is_held
    assert not lease.Lease(SESSION_S, Clock()).is_held


def test_it_ends_one_session_after_the_asking() -> None:
    """Not after the answer, which may have waited in a socket while the process was stopped."""
    clock = Clock()
    held = lease.Lease(SESSION_S, clock)
    asked_at_s = held.now_s()
    clock.now_s += 4
    held.renew(asked_at_s)
    clock.now_s = asked_at_s + SESSION_S - 0.001

    assert held.is_held

    clock.now_s = asked_at_s + SESSION_S

    assert not held.is_held


def test_an_answer_that_was_read_too_late_gives_nothing() -> None:
    """Whoever was stopped between request and answer for a session has lost it."""
    clock = Clock()
    held = lease.Lease(SESSION_S, clock)
    asked_at_s = held.now_s()
    clock.now_s += SESSION_S + 3
    held.renew(asked_at_s)

    assert not held.is_held


def test_it_can_end_at_once() -> None:
    """And be had again."""
    held = lease.Lease(SESSION_S, Clock())
    held.renew(held.now_s())
    held.end()

    assert not held.is_held

    held.renew(held.now_s())

    assert held.is_held


def test_whoever_wants_to_send_waits_for_it() -> None:
    """However long Kafka is away."""

    async def check() -> tuple[bool, float]:
        loop = asyncio.get_running_loop()
        held = lease.Lease(SESSION_S, loop.time)
        waiting = asyncio.create_task(held.acquire())
        await asyncio.sleep(3600)
        was_done, back_at_s = waiting.done(), loop.time()
        held.renew(held.now_s())
        await waiting
        await held.acquire()
        return was_done, loop.time() - back_at_s

    was_done, seconds = fake_time.in_fake_time(check())

    assert not was_done
    assert seconds < 2 * lease.POLL_S


@dataclass(slots=True, kw_only=True)
class _Answer:
    """What the group says to one heartbeat, and how long it takes."""

    is_member: bool
    seconds: float = 0
    generation: int = 5
    error: Exception | None = None


@dataclass
class Coordinator:
    """As much of aiokafka's as the lease looks at."""

    clock: Clock
    generation: int = 5
    member_id: str = "member-1"
    answers: list[_Answer] = field(default_factory=list)

    async def _do_heartbeat(self) -> bool:
        answer = self.answers.pop(0)
        self.clock.now_s += answer.seconds
        self.generation = answer.generation
        if answer.error:
            raise answer.error
        return answer.is_member


@dataclass(slots=True)
class Consumer:
    """aiokafka's consumer and ours in one."""

    _coordinator: Coordinator
    lease: lease.Lease
    membership: chunk.Membership | None = None
    paused: list[TP] = field(default_factory=list)

    def pause(self, *partitions: TP) -> None:
        """Note it."""
        self.paused += partitions


@dataclass(slots=True)
class Thread:
    """The consumer's thread, and the app beside it."""

    consumer: Consumer
    consumer_generation_id: int = 0
    assigned: set[TP] = field(default_factory=set)

    @property
    def app(self) -> "Thread":
        """Takes the generation."""
        return self

    def _ensure_consumer(self) -> Consumer:
        return self.consumer

    async def on_partitions_assigned(self, assigned: set[TP], generation: int) -> None:  # noqa: ARG002 - Faust's signature
        """Note them."""
        self.assigned = assigned


MEMBER = _Answer(is_member=True)
FORGOTTEN = _Answer(is_member=False, generation=-1)
SILENCE = _Answer(is_member=False)


@dataclass(slots=True)
class Group:
    """A worker that has just been assigned a partition, while the group answers heartbeats as listed."""

    clock: Clock
    lease: lease.Lease
    coordinator: Coordinator
    thread: Thread

    @classmethod
    async def assign(cls, *answers: _Answer) -> "Group":
        """Join it."""
        clock = Clock()
        coordinator = Coordinator(clock, answers=list(answers))
        held = lease.Lease(SESSION_S, clock)
        thread = Thread(Consumer(coordinator, held))
        await transport.RebalanceListener(thread).on_partitions_assigned({TP("user-changes", 3)})  # type: ignore[arg-type]  # acts as one
        return cls(clock, held, coordinator, thread)

    async def beat(self) -> bool:
        """Send the next heartbeat, as aiokafka's routine does."""
        return await self.coordinator._do_heartbeat()


async def test_an_assignment_alone_is_no_lease() -> None:
    """Its news may have waited while the process was stopped: the group is asked whether it still knows us."""
    known, forgotten, unheard = [await Group.assign(answer) for answer in (MEMBER, FORGOTTEN, SILENCE)]

    assert [group.lease.is_held for group in (known, forgotten, unheard)] == [True, False, False]


async def test_an_assignment_is_noted_whatever_the_group_says() -> None:
    """What is missing is the permission to send; the membership is that of the assignment, by which Kafka fences."""
    group = await Group.assign(FORGOTTEN)

    assert group.thread.assigned == {TP("user-changes", 3)}
    assert group.thread.consumer.paused == [TP("user-changes", 3)]
    assert group.thread.consumer.membership == chunk.Membership(5, "member-1")


async def test_an_unforeseen_answer_does_not_lose_the_assignment() -> None:
    """Aiokafka only logs what a listener raises, and goes on as if the worker had been told."""
    group = await Group.assign(_Answer(is_member=False, error=KafkaError()))

    assert group.thread.assigned
    assert not group.lease.is_held


async def test_each_heartbeat_that_is_answered_renews_it() -> None:
    """From the time at which it was sent."""
    group = await Group.assign(MEMBER, _Answer(is_member=True, seconds=6))
    group.clock.now_s += 9
    assert await group.beat()
    group.clock.now_s += SESSION_S - 6 - 0.001

    assert group.lease.is_held

    group.clock.now_s += 0.001

    assert not group.lease.is_held


async def test_a_heartbeat_without_answer_neither_renews_nor_ends_it() -> None:
    """The coordinator may be on the move; nobody else can have our partitions before the session is over."""
    group = await Group.assign(MEMBER, SILENCE)
    group.clock.now_s += 9
    assert not await group.beat()

    assert group.lease.is_held

    group.clock.now_s += 1

    assert not group.lease.is_held


async def test_it_ends_at_once_when_the_group_has_forgotten_us() -> None:
    """Somebody else may have had our partitions for long."""
    group = await Group.assign(MEMBER, FORGOTTEN)
    assert not await group.beat()

    assert not group.lease.is_held
