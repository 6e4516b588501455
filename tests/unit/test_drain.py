"""How long a drain waits, and for what: for what is on the wire or in the journal, not for what is only held."""

import asyncio
from collections.abc import Sequence

import pytest

from schemas.delivery import Parcel, Verdict
from schemas.errors import UnavailableError
from streams.delivery.lanes import LOOK_S
from tests.fakes import FakeSender
from tests.lane_world import DRAIN_S, LaneWorld, NeverEndsError, lane_timed

AT_ONCE_S = 2 * LOOK_S
LARGE = b"x" * 300_000  # two of them do not fit one request


class HalfHeld(FakeSender):
    """Batches pause, anonymous events are on the wire."""

    async def send_batch(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        """Pause."""
        self.puts = self.waiting
        return await super().send_batch(parcels)

    async def send_anonymous(self, parcel: Parcel) -> Verdict:
        """Be on the wire."""
        self.puts = self.on_wire
        return await super().send_anonymous(parcel)


def pause(sender: FakeSender) -> None:
    """Let whatever is on the wire fail, to be tried again later."""
    sender.waiting |= sender.on_wire
    sender.on_wire.clear()


def anonymous(count: int) -> list[Parcel]:
    """So many anonymous events."""
    return [Parcel((b"{}",), anonymous=True)] * count


@lane_timed
async def test_a_request_on_the_wire_has_until_the_deadline() -> None:
    """It may have been carried out already: its verdict is worth waiting for."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        works = await world.begin(0, 1)
        took_s = await world.drain()

        assert took_s == pytest.approx(DRAIN_S, abs=0.01)
        assert await asyncio.gather(*works) == [False, False]
        assert world.sender.cancelled == 1


@lane_timed
async def test_what_is_answered_in_time_is_committed() -> None:
    """A drain is not the end of a lane that gets on."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        works = await world.begin(0)
        asyncio.get_running_loop().call_later(2, world.sender.gate.set)
        took_s = await world.drain()

        assert await asyncio.gather(*works) == [True]
        assert took_s == pytest.approx(2, abs=0.1)


@lane_timed
@pytest.mark.parametrize("why", ["breaker", "pause", "rate"])
async def test_what_is_only_held_is_given_up_at_once(why: str) -> None:
    """At the breaker, in a pause between two attempts, or for a rate that lets hardly a request through."""
    world = LaneWorld()
    world.sender.is_held = why == "breaker"
    world.is_rate_tight = why == "rate"
    if why == "pause":
        world.sender.puts = world.sender.waiting
    async with world.running():
        works = await world.begin(0, 1, 2)
        took_s = await world.drain()

        assert await asyncio.gather(*works) == [False] * 3
        assert (took_s <= AT_ONCE_S, world.sender.cancelled, world.crashes) == (True, 1, [])


@lane_timed
async def test_what_waits_for_a_fair_rate_is_not_held() -> None:
    """A request may well go before the deadline."""
    world = LaneWorld()
    async with world.running():
        await world.begin(0)

        assert await world.drain() == pytest.approx(DRAIN_S, abs=0.01)


@lane_timed
async def test_the_queue_is_given_up_only_while_the_api_is_held() -> None:
    """Else the slot in front of it may become free in time."""
    world = LaneWorld(slots=1)
    world.sender.puts = world.sender.on_wire
    async with world.running():
        works = [*await world.begin(0), *await world.begin(1)]
        draining = asyncio.create_task(world.drain())
        await asyncio.sleep(1)

        assert [work.done() for work in works] == [False, False]

        world.sender.is_held = True
        await asyncio.sleep(AT_ONCE_S)

        assert [work.done() for work in works] == [False, True]
        assert await draining == pytest.approx(DRAIN_S, abs=0.01)


@lane_timed
async def test_a_lane_that_becomes_held_is_given_up_then() -> None:
    """As when its request fails and pauses before the next attempt."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        works = await world.begin(0)
        asyncio.get_running_loop().call_later(2, pause, world.sender)
        took_s = await world.drain()

        assert not await works[0]
        assert took_s == pytest.approx(2, abs=AT_ONCE_S)


@lane_timed
async def test_a_lane_is_held_only_as_a_whole() -> None:
    """Anonymous events on the wire keep its batch, though that pauses, and those that queue behind them."""
    world = LaneWorld(sender=HalfHeld())
    world.parcels[0] = [Parcel((b"{}",)), *anonymous(5)]
    async with world.running():
        works = await world.begin(0)
        asyncio.get_running_loop().call_later(2, pause, world.sender)
        took_s = await world.drain()

        assert not await works[0]
        assert took_s == pytest.approx(2, abs=AT_ONCE_S)


@lane_timed
async def test_the_second_part_of_a_lane_goes_if_it_can() -> None:
    """While the first is on the wire it is not held; afterwards only if the API is."""
    world = LaneWorld()
    world.parcels[0] = [Parcel((LARGE,)), Parcel((LARGE,))]
    world.sender.puts = world.sender.on_wire
    async with world.running():
        works = await world.begin(0)
        world.sender.is_held = True
        asyncio.get_running_loop().call_later(2, world.sender.gate.set)
        asyncio.get_running_loop().call_later(2, lambda: setattr(world.sender, "is_held", False))
        took_s = await world.drain()

        assert (await works[0], len(world.sender.batches)) == (True, 2)
        assert took_s == pytest.approx(2, abs=0.1)


@lane_timed
async def test_a_request_goes_on_for_who_is_not_held() -> None:
    """Who shares it and is held is given up without it; at the deadline it ends like all others."""
    world = LaneWorld(sender=HalfHeld())
    world.parcels[1] = [Parcel((b"{}",)), *anonymous(1)]
    async with world.running():
        works = await world.begin(0, 1)
        draining = asyncio.create_task(world.drain())
        await asyncio.sleep(AT_ONCE_S)

        assert ([work.done() for work in works], world.sender.cancelled) == ([True, False], 0)
        assert await draining == pytest.approx(DRAIN_S, abs=0.01)
        assert world.sender.cancelled == 2


@lane_timed
@pytest.mark.parametrize("how", ["hangs", "tries again"])
async def test_the_journal_has_until_the_deadline(how: str) -> None:
    """Whether a thread hangs in a library or Kafka does not answer: what is to be written may yet be."""
    world = LaneWorld()
    world.parcels[0] = []
    world.sender.is_held = True
    world.writer.failures = [NeverEndsError()] if how == "hangs" else [UnavailableError()] * 9
    async with world.running():
        works = await world.begin(0)
        took_s = await world.drain()

        assert not await works[0]
        assert took_s == pytest.approx(DRAIN_S, abs=0.01)


@lane_timed
async def test_what_becomes_another_workers_is_abandoned_then() -> None:
    """The lease may end in the middle of a drain."""
    world = LaneWorld()
    world.sender.puts = world.sender.on_wire
    async with world.running():
        works = await world.begin(0)
        asyncio.get_running_loop().call_later(1, lambda: setattr(world, "is_ours", False))
        took_s = await world.drain()

        assert not await works[0]
        assert took_s == pytest.approx(1, abs=AT_ONCE_S)
