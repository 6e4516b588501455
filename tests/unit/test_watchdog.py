"""What is stuck, and what only waits: each kind of either, in fake time."""

import asyncio
import contextlib
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from schemas.answer import Answer
from schemas.delivery import Parcel, Verdict
from schemas.errors import UnavailableError
from streams.delivery.journal import RETRY_S_MAX
from streams.delivery.watchdog import POLL_S, StuckError
from tests.fakes import FakeClient, FakeSender
from tests.lane_world import STUCK_S, LaneLoop, LaneWorld, NeverEndsError, lane_timed
from tests.track_world import World, parcels

HOURS_S = 36_000.0
SOON_S = 3 * POLL_S


class Deaf(FakeSender):
    """Its requests do not end when they are cancelled, at first."""

    async def send_batch(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        """Hear nothing."""
        self.puts = self.on_wire
        while self.cancelled < 2:
            with contextlib.suppress(asyncio.CancelledError):
                await super().send_batch(parcels)
        return await super().send_batch(parcels)


def sleep_through(seconds: float) -> None:
    """Let time pass in which nothing of the process runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LaneLoop)
    loop._now += seconds


def ended(world: LaneWorld) -> list[type[BaseException]]:
    """What the process would end for."""
    return [type(each) for each in world.crashes]


@lane_timed
async def test_a_request_that_outlives_its_time_out_is_stuck() -> None:
    """Not before its time, and every lane in it."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        await world.begin(0, 1)
        await asyncio.sleep(STUCK_S - SOON_S)

        assert ended(world) == []

        await asyncio.sleep(2 * SOON_S)

        assert (ended(world), world.stuck) == ([StuckError], 2)


@lane_timed
async def test_verdicts_that_nobody_will_ever_give_are_found() -> None:
    """Whoever had to give them is gone."""
    world = LaneWorld()
    async with world.running():
        world.sender.puts = world.sender.waiting
        await world.begin(0)
        for request in list(world.sender.waiting):
            request.cancel()
        await asyncio.sleep(STUCK_S + SOON_S)

        assert (ended(world), world.stuck) == ([StuckError], 1)


@lane_timed
async def test_a_lane_that_nobody_takes_is_stuck() -> None:
    """There is a slot for it, but the courier has ended."""
    world = LaneWorld()
    watching = asyncio.create_task(world.watchdog.run())
    await world.begin(0)
    await asyncio.wait_for(watching, STUCK_S + SOON_S)

    assert ended(world) == [StuckError]


@lane_timed
async def test_a_slot_that_is_lost_is_found() -> None:
    """Its request was abandoned and does not end: nobody but who waits for the slot can tell."""
    world = LaneWorld(slots=1, sender=Deaf())
    async with world.running():
        works = await world.begin(0)
        await world.rebalance()

        assert not await works[0]

        asyncio.create_task(world.work(1, epoch=2))  # noqa: RUF006 - it never ends
        await asyncio.sleep(STUCK_S + SOON_S)

        assert ended(world) == [StuckError]


@lane_timed
async def test_a_thread_that_hangs_in_the_journal_is_found() -> None:
    """The lanes that stand in line behind that transaction are not the stuck ones."""
    world = LaneWorld()
    world.parcels |= {0: [], 1: []}
    world.writer.failures = [NeverEndsError()]
    async with world.running():
        await world.begin(0)
        await world.begin(1)
        await asyncio.sleep(STUCK_S + SOON_S)

        assert [lane.stage for lane in world.lanes.working()] == ["in a transaction", "waiting for a transaction"]
        assert (ended(world), world.stuck) == ([StuckError], 1)


@lane_timed
async def test_a_thread_that_still_hangs_after_a_drain_is_found() -> None:
    """Nobody waits for its transaction any more, but for the next."""
    world = LaneWorld()
    world.parcels |= {0: [], 1: []}
    world.writer.failures = [NeverEndsError()]
    async with world.running():
        await world.begin(0)
        await world.rebalance()
        asyncio.create_task(world.work(1, epoch=2))  # noqa: RUF006 - it never ends
        await asyncio.sleep(STUCK_S + SOON_S)

        assert (ended(world), world.stuck) == ([StuckError], 1)


@lane_timed
async def test_a_take_over_that_hangs_is_found() -> None:
    """A library's thread that never comes back must not keep the partitions from everybody."""
    world = LaneWorld()
    async with world.running():
        await world.drain()
        for _ in range(10):
            await asyncio.sleep(STUCK_S - SOON_S)
            world.lanes.restoring()

        assert ended(world) == []

        await asyncio.sleep(STUCK_S + SOON_S)

        assert ended(world) == [StuckError]


@lane_timed
async def test_an_assignment_without_work_is_not_stuck() -> None:
    """It has begun, and no record comes."""
    world = LaneWorld()
    async with world.running():
        await world.rebalance()
        await asyncio.sleep(HOURS_S)

        assert ended(world) == []


@lane_timed
@pytest.mark.parametrize("where", ["breaker or pause", "rate", "queue"])
async def test_what_waits_for_its_turn_may_wait_for_hours(where: str) -> None:
    """At the breaker, in a pause, for the rate, or for a slot while all are taken by such."""
    world = LaneWorld(slots=1 if where == "queue" else 4)
    if where != "rate":
        world.sender.puts = world.sender.waiting
    async with world.running():
        works = [*await world.begin(0), *await world.begin(1)]
        await asyncio.sleep(HOURS_S)

        assert (ended(world), len(world.sender.batches)) == ([], 1 if where == "queue" else 2)

        world.sender.gate.set()

        assert await asyncio.gather(*works) == [True, True]


@lane_timed
async def test_everything_may_wait_while_kafka_is_away() -> None:
    """Also what is on the wire: its last byte is not sent before the group confirms that we are a member."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        await world.begin(0)
        await asyncio.sleep(STUCK_S - SOON_S)
        world.is_ours = False
        await asyncio.sleep(HOURS_S)
        world.is_ours = True
        await asyncio.sleep(STUCK_S - SOON_S)

        assert ended(world) == []

        await asyncio.sleep(2 * SOON_S)

        assert ended(world) == [StuckError]


@lane_timed
async def test_a_journal_that_tries_again_may_do_so_for_hours() -> None:
    """Kafka is unavailable, and every try comes back; the pauses in between do not count, be they ever so long."""
    world = LaneWorld(stuck_s=RETRY_S_MAX / 2)
    world.parcels[0] = []
    world.writer.failures = [UnavailableError() for _ in range(3_000)]
    async with world.running():
        works = await world.begin(0)
        await asyncio.sleep(HOURS_S)

        assert (ended(world), await works[0]) == ([], True)


@lane_timed
async def test_who_waits_for_others_transaction_is_not_stuck() -> None:
    """They try again and again; its own turn comes once theirs is through."""
    world = LaneWorld()
    world.parcels |= {0: [], 1: []}
    world.writer.failures = [NeverEndsError()]
    async with world.running():
        await world.begin(0)
        await world.begin(1)
        await asyncio.sleep(STUCK_S - SOON_S)

        assert [lane.idle_s > SOON_S for lane in world.lanes.working()] == [True, False]


@lane_timed
async def test_a_lane_that_gets_on_slowly_is_not_stuck() -> None:
    """Every attempt is a sign of life: a batch that is halved is on the wire for longer than a lane may stand still."""
    names = list(range(16))
    client = FakeClient(answers=lambda _, body: Answer(400, b"{}") if b"13" in body else Answer(200, b"{}"))
    client.latency_s = STUCK_S - SOON_S
    world = LaneWorld(track=World(client).sender)
    world.parcels[0] = parcels(*names)
    async with world.running():
        (work,) = await world.begin(0)

        assert await work
        assert (ended(world), len(client.calls)) == ([], 9)


@lane_timed
async def test_time_in_which_the_process_is_stopped_does_not_count() -> None:
    """Whoever wakes up late finds its request late, not stuck."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        works = await world.begin(0)
        sleep_through(HOURS_S)
        await asyncio.sleep(SOON_S)
        world.sender.gate.set()

        assert (await works[0], ended(world)) == (True, [])


@lane_timed
async def test_what_is_stuck_is_said_once_without_a_word_of_what_it_holds() -> None:
    """Which chunk, where and for how long; then every stack."""
    world = LaneWorld()
    world.parcels[3] = [Parcel((b'{"email":"ada@example.com"}',))]
    world.sender.puts = world.sender.on_wire
    with capture_logs() as logs:
        async with world.running():
            await world.begin(3)
            await asyncio.sleep(3 * STUCK_S)
    lanes = [line for line in logs if line["event"] == "lane stuck"]
    stacks = [str(line["stack"]) for line in logs if line["event"] == "stack"]

    assert [(e["topic"], e["partition"], e["first"], e["last"], e["idle_s"]) for e in lanes] == [
        ("user-changes", 3, 0, 0, STUCK_S)
    ]
    assert any("pass_gate" in stack for stack in stacks)
    assert any("watchdog.py" in stack for stack in stacks)
    assert "example" not in str(logs)
