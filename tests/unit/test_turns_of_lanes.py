"""Lanes that wait for their turn: excused by the watchdog, drained with those they wait for."""

import asyncio

import pytest

from streams.delivery.lanes import LOOK_S
from streams.delivery.watchdog import StuckError
from tests.lane_world import DRAIN_S, STUCK_S, LaneWorld, lane_timed

AT_ONCE_S = 2 * LOOK_S
SOON_S = 3.0


@lane_timed
async def test_a_replay_goes_when_the_live_chunk_is_committed() -> None:
    """Nothing of it is sent before."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        (first,) = await world.begin(0)
        replay = await world.begin_replay(0)

        assert len(world.sender.batches) == 1

        world.sender.gate.set()

        assert await asyncio.gather(*[first, replay]) == [True, True]
        assert [len(batch) for batch in world.sender.batches] == [1, 1]
        assert [[each.chunk.topic for each in calls] for calls, _ in world.writer.calls] == [
            ["user-changes"],
            ["customerio-replay"],
        ]


@lane_timed
async def test_a_replay_on_another_partition_shares_the_request() -> None:
    """It has nothing in common with the live chunk."""
    world = LaneWorld()
    world.sender.gate.set()
    async with world.running():
        works = [asyncio.create_task(world.work(0)), asyncio.create_task(world.work(1, topic="customerio-replay"))]

        assert await asyncio.gather(*works) == [True, True]
        assert [len(batch) for batch in world.sender.batches] == [2]


@lane_timed
async def test_who_waits_for_its_turn_is_not_stuck() -> None:
    """For as long as the lane in front of it is held."""
    world = LaneWorld()
    async with world.running():
        await world.begin(0)
        await world.begin_replay(0)
        await asyncio.sleep(10 * STUCK_S)

        assert world.crashes == []


@lane_timed
async def test_the_lane_in_front_is_the_one_that_is_stuck() -> None:
    """It alone is counted."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        await world.begin(0)
        await world.begin_replay(0)
        await asyncio.sleep(STUCK_S + SOON_S)

        assert ([type(each) for each in world.crashes], world.stuck) == ([StuckError], 1)


@lane_timed
async def test_who_waits_for_what_is_held_is_given_up_with_it() -> None:
    """At once, with no request begun."""
    world = LaneWorld()
    world.sender.is_held = True
    async with world.running():
        (first,) = await world.begin(0)
        replay = await world.begin_replay(0)
        took_s = await world.drain()

        assert await asyncio.gather(*[first, replay]) == [False, False]
        assert (took_s <= AT_ONCE_S, len(world.sender.batches), world.crashes) == (True, 1, [])


@lane_timed
async def test_who_waits_for_a_request_on_the_wire_may_still_go() -> None:
    """It has until the deadline, as everybody has."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        (first,) = await world.begin(0)
        replay = await world.begin_replay(0)
        asyncio.get_running_loop().call_later(2, world.sender.gate.set)
        took_s = await world.drain()

        assert await asyncio.gather(*[first, replay]) == [True, True]
        assert took_s == pytest.approx(2, abs=0.1)


@lane_timed
async def test_at_the_deadline_all_are_abandoned() -> None:
    """The one in front with its request, the one behind without."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        (first,) = await world.begin(0)
        replay = await world.begin_replay(0)
        took_s = await world.drain()

        assert await asyncio.gather(*[first, replay]) == [False, False]
        assert took_s == pytest.approx(DRAIN_S, abs=0.01)
        assert (world.sender.cancelled, len(world.sender.batches), world.crashes) == (1, 1, [])


@lane_timed
async def test_who_waits_for_what_is_fenced_is_dropped_with_it() -> None:
    """The memory does not tell what was sent for it; both come again to whoever owns the partition then."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    world.writer.generation += 1
    async with world.running():
        (first,) = await world.begin(0)
        replay = await world.begin_replay(0)
        world.sender.gate.set()

        assert await asyncio.gather(*[first, replay]) == [False, False]
        assert len(world.sender.batches) == 1


@lane_timed
async def test_a_new_assignment_begins_with_free_turns() -> None:
    """What was given up before it holds nobody."""
    world = LaneWorld()
    world.sender.is_held = True
    async with world.running():
        (first,) = await world.begin(0)
        await world.rebalance()
        world.sender.is_held = False
        world.sender.gate.set()

        assert (await first, await world.work(0, epoch=2, topic="customerio-replay")) == (False, True)
