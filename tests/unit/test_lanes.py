"""One chunk at a time per partition: holes, drains, fences and crashes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from agents.pipeline import Pipeline
from agents.plan import MakePlan
from schemas.chunk import Chunk
from schemas.errors import FencedError
from streams.delivery.lanes import REJOIN_S, HoleError, Lanes, StalledError
from tests.builders import make_chunk, settle_down
from tests.fake_time import in_fake_time
from tests.unit.input_records import InputRecord

DRAIN_S = 5.0
Work = Callable[[Chunk], Awaitable[None]]


@dataclass(slots=True)
class FakePipeline:
    """Does with a chunk what a test says."""

    work: Work
    seen: list[int] = field(default_factory=list)

    async def process(self, chunk: Chunk, make_plan: MakePlan) -> None:  # noqa: ARG002 - the pipeline's signature
        """Work on it."""
        self.seen.append(chunk.start)
        await self.work(chunk)


@dataclass(slots=True)
class FakeMessage:
    """A Faust message whose value is a chunk."""

    value: Chunk


@dataclass(slots=True)
class FakeEvent:
    """A Faust event that notes its acknowledgement."""

    message: FakeMessage
    acked: bool = False

    def ack(self) -> None:
        """Note it."""
        self.acked = True


class World:
    """Lanes over a pipeline of the test's own."""

    def __init__(self, work: Work) -> None:
        self.pipeline = FakePipeline(work)
        self.crashes: list[BaseException] = []
        self.is_ours = True
        self.lanes = Lanes(
            cast(Pipeline, self.pipeline), drain_s=DRAIN_S, is_ours=lambda: self.is_ours, crash=self._crash
        )

    async def _crash(self, error: BaseException) -> None:
        self.crashes.append(error)

    async def handle(self, chunk: Chunk) -> bool:
        """Hand a chunk over; whether it was acknowledged."""
        event = FakeEvent(FakeMessage(chunk))
        await self.lanes.handle(event, cast(Any, None))
        return event.acked


def chunk(
    first: int, last: int | None = None, *, epoch: int = 1, start: int | None = None, partition: int = 0
) -> Chunk:
    """Records from `first` to `last`."""
    offsets = range(first, (first if last is None else last) + 1)
    return make_chunk([InputRecord(offset=n, partition=partition) for n in offsets], epoch=epoch, start=start)


async def done(_: Chunk) -> None:
    """Conclude at once."""


async def stuck(_: Chunk) -> None:
    """Never come to an end."""
    await asyncio.Event().wait()


async def fenced(_: Chunk) -> None:
    """Lose the partition."""
    raise FencedError


async def test_chunks_that_meet_are_acknowledged() -> None:
    """And the position moves on with each; other partitions are not concerned."""
    world = World(done)

    assert world.lanes.position("user-changes", 0) == 0
    assert [await world.handle(chunk(3, 5)), await world.handle(chunk(6, 6))] == [True, True]
    assert (world.lanes.position("user-changes", 0), world.lanes.position("user-changes", 1)) == (7, 0)


async def test_a_gap_inside_a_chunk_is_normal() -> None:
    """Compaction and transaction markers leave some: where the cursor stood is what counts."""
    world = World(done)
    await world.handle(chunk(3, 5))

    assert await world.handle(chunk(9, 9, start=6))


@pytest.mark.parametrize("start", [5, 7])
async def test_a_hole_is_never_committed_past(start: int) -> None:
    """Nor is anything done twice: the process ends, and starts again from what is committed."""
    world = World(done)
    await world.handle(chunk(3, 5))
    with pytest.raises(HoleError, match=f"user-changes/0: expected offset 6, the chunk starts at {start}"):
        await world.handle(chunk(start))

    assert world.pipeline.seen == [3]


async def test_a_new_assignment_starts_where_it_was_told() -> None:
    """The cursor was set anew, backwards or forwards."""
    world = World(done)
    await world.handle(chunk(3, 5))

    assert await world.handle(chunk(1, epoch=2))
    with pytest.raises(HoleError):
        await world.handle(chunk(9, epoch=2))


async def test_a_chunk_of_an_earlier_assignment_is_dropped() -> None:
    """Unacknowledged and untouched."""
    world = World(done)
    await world.lanes.drain(2)

    assert [await world.handle(chunk(3, epoch=1)), await world.handle(chunk(3, epoch=2))] == [False, True]
    assert world.pipeline.seen == [3]


def test_a_drain_lets_work_finish() -> None:
    """What ends before the deadline is acknowledged."""

    async def check() -> None:
        world = World(lambda _: asyncio.sleep(DRAIN_S - 1))
        loop = asyncio.get_running_loop()
        work = asyncio.create_task(world.handle(chunk(3)))
        await settle_down()
        started = loop.time()
        await world.lanes.drain(2)

        assert await work
        assert loop.time() - started == pytest.approx(DRAIN_S - 1)

    in_fake_time(check())


def test_a_drain_abandons_what_is_late() -> None:
    """At the deadline, not later, without acknowledgement and without a crash."""

    async def check() -> None:
        world = World(stuck)
        loop = asyncio.get_running_loop()
        work = [asyncio.create_task(world.handle(chunk(3, partition=n))) for n in range(2)]
        await settle_down()
        started = loop.time()
        await world.lanes.drain(2)

        assert loop.time() - started == pytest.approx(DRAIN_S)
        assert (await asyncio.gather(*work), world.crashes) == ([False, False], [])
        assert world.lanes.position("user-changes", 0) == 0

    in_fake_time(check())


def test_what_is_another_workers_already_is_abandoned_at_once() -> None:
    """A worker that was paused beyond its session must send nothing more."""

    async def check() -> None:
        world = World(stuck)
        world.is_ours = False
        loop = asyncio.get_running_loop()
        work = asyncio.create_task(world.handle(chunk(3)))
        await settle_down()
        started = loop.time()
        await world.lanes.drain(2)

        assert (await work, loop.time() - started < 1) == (False, True)

    in_fake_time(check())


def test_a_drain_ends_even_if_the_work_does_not() -> None:
    """Something that swallows its cancellation must not hold the group up."""

    async def deaf(_: Chunk) -> None:
        for _attempt in range(3):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    async def check() -> None:
        world = World(deaf)
        loop = asyncio.get_running_loop()
        work = asyncio.create_task(world.handle(chunk(3)))
        await settle_down()
        started = loop.time()
        await world.lanes.drain(2)
        assert loop.time() - started <= DRAIN_S + 2
        await work

    in_fake_time(check())


async def test_a_drain_without_work_returns_at_once() -> None:
    """Nothing to wait for."""
    drained = asyncio.create_task(World(stuck).lanes.drain(1))
    await settle_down(2)

    assert drained.done()


async def test_fenced_drops_the_rest_of_the_assignment() -> None:
    """Its chunks will be somebody else's; the next assignment works again."""
    world = World(fenced)
    first = [await world.handle(chunk(3)), await world.handle(chunk(3, partition=1))]
    world.pipeline.work = done
    await world.lanes.drain(2)

    assert (first, world.pipeline.seen, world.crashes) == ([False, False], [3], [])
    assert await world.handle(chunk(3, epoch=2))


@pytest.mark.parametrize(("comes", "crashes"), [(True, []), (False, [StalledError])])
def test_fenced_without_a_rebalance_ends_the_process(*, comes: bool, crashes: list[type[Exception]]) -> None:
    """Nobody else would notice that nothing moves any more."""

    async def check() -> list[type[BaseException]]:
        world = World(fenced)
        await world.handle(chunk(3))
        if comes:
            await world.lanes.drain(2)
        await asyncio.sleep(REJOIN_S + 1)
        return [type(each) for each in world.crashes]

    assert in_fake_time(check()) == crashes


async def test_what_nobody_foresaw_ends_the_process() -> None:
    """Reported once, raised to Faust, and never acknowledged."""

    async def fail(_: Chunk) -> None:
        raise ZeroDivisionError

    world = World(fail)
    with pytest.raises(ZeroDivisionError):
        await world.handle(chunk(3))

    assert [type(each) for each in world.crashes] == [ZeroDivisionError]
    assert world.lanes.position("user-changes", 0) == 0


async def test_an_agent_that_is_cancelled_takes_its_work_with_it() -> None:
    """Nothing goes on behind Faust's back."""
    ended: list[bool] = []

    async def work(_: Chunk) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    world = World(work)
    task = asyncio.create_task(world.handle(chunk(3)))
    await settle_down()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await settle_down()

    assert ended == [True]


def test_a_lane_begins_where_its_partition_was_taken_over() -> None:
    """So the lag is known before the first chunk, and a first chunk that starts elsewhere is a hole."""
    lanes = Lanes(cast(Pipeline, None), drain_s=DRAIN_S, is_ours=lambda: True, crash=_never)
    lanes.begin(3, {("user-changes", 0): 42})

    assert lanes.position("user-changes", 0) == 42
    with pytest.raises(HoleError):
        lanes._check_start(make_chunk([InputRecord(offset=50)], start=50, epoch=3))


async def _never(_: BaseException) -> None:
    """Nothing here is unforeseen."""
