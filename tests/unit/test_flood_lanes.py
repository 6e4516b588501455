"""What a flood that is held means for its lane: nothing is published, a drain takes it at once, the watchdog waits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from agents.desk import Outside
from agents.pipeline import Pipeline
from agents.plans.replay import ReplayPlan
from agents.plans.user_changes import UserChangesPlan
from schemas.delivery import Parcel, Verdict
from streams.delivery.lanes import LOOK_S, Lanes
from streams.delivery.turns import Turns
from streams.delivery.watchdog import Watchdog
from tests.builders import make_change, make_chunk
from tests.fake_time import fake_timed
from tests.fakes import FakeCourier, FakeJournal, FakeLedger, FakeMessenger
from tests.flood_world import TOPIC, FloodWorld
from tests.replays import replay_of
from tests.unit.input_records import InputRecord

DRAIN_S = 5.0
STUCK_S = 60.0
RECORDS = 200


class SlowCourier(FakeCourier):
    """Takes its time, if it has any."""

    latency_s = 0.0

    async def deliver(self, parcels: Any) -> list[Verdict]:  # noqa: ANN401 - as the fake's
        """One verdict for each parcel, later."""
        await asyncio.sleep(self.latency_s)
        return await super().deliver(parcels)


class Event:
    """What Faust hands over."""

    def __init__(self, records: list[InputRecord]) -> None:
        self.message = self
        self.value = make_chunk(records)
        self.acked = False

    def ack(self) -> None:
        """Note it."""
        self.acked = True


class World(FloodWorld):
    """Lanes over a pipeline with a real guard; `is_broken` while Customer.io refuses everything."""

    def __init__(self) -> None:
        super().__init__()
        self.is_broken = True
        self.courier = SlowCourier(decides=self._decide)
        self.journal = FakeJournal()
        self.crashes: list[BaseException] = []
        outside = Outside(
            courier=self.courier,
            messenger=FakeMessenger(),
            journal=self.journal,
            ledger=FakeLedger(),
            observer=self.observer,
            clock_ms=lambda: 0,
            group="group-1",
        )
        pipeline = Pipeline(outside=outside, turns=Turns(), guard=self.guard)
        self.lanes = Lanes(pipeline, drain_s=DRAIN_S, is_ours=lambda: True, crash=self._crash, held=self.guard.held)
        self.watchdog = Watchdog(self.lanes, in_line=[self.guard.held], stuck_s=STUCK_S, count=lambda _: None)

    def _decide(self, parcel: Parcel) -> bool:
        return not self.is_broken or orjson.loads(parcel.bodies[0])["identifiers"]["id"] == "u-0"

    async def _crash(self, error: BaseException) -> None:
        self.crashes.append(error)

    @asynccontextmanager
    async def holding(self, make: Callable[[int], InputRecord]) -> AsyncIterator[tuple[Event, "asyncio.Task[None]"]]:
        """Hand over a chunk, and wait until it is held."""
        watching = asyncio.create_task(self.watchdog.run())
        event = Event([make(offset) for offset in range(RECORDS)])
        work = asyncio.create_task(self.lanes.handle(event, UserChangesPlan))
        await asyncio.sleep(0.5)
        assert self.guard.told()
        yield event, work
        work.cancel()
        watching.cancel()
        await asyncio.gather(work, watching, return_exceptions=True)


def malformed(offset: int) -> InputRecord:
    """A record that is dead by itself."""
    return InputRecord(value=b"{", offset=offset)


def change(offset: int) -> InputRecord:
    """A change of somebody else each time."""
    return make_change(f"u-{offset}", offset=offset)


@fake_timed
async def test_nothing_of_a_flood_is_published() -> None:
    """No letter, no result, no entry of the ledger; the offset stays."""
    world = World()
    async with world.holding(malformed) as (event, work):
        await asyncio.sleep(3_600)

        assert (world.journal.published, event.acked, work.done()) == ([], False, False)


@fake_timed
async def test_when_it_is_resumed_every_record_has_its_result() -> None:
    """And every letter is written."""
    world = World()
    async with world.holding(malformed) as (event, work):
        world.resumed.said.add(TOPIC)
        await work
        (publication,) = world.journal.published

        assert (len(publication.results), len(publication.letters), event.acked) == (RECORDS, RECORDS, True)


@fake_timed
async def test_a_probe_is_one_record_and_then_the_chunk_is_worked_on_from_its_start() -> None:
    """What was accepted of it the first time is sent again."""
    world = World()
    async with world.holding(change) as (event, work):
        await asyncio.sleep(1)
        world.is_broken = False
        await work
        (publication,) = world.journal.published

        assert [len(wave) for wave in world.courier.waves] == [RECORDS, 1, 1, RECORDS]
        assert (len(publication.results), publication.letters, event.acked) == (RECORDS, [], True)


@fake_timed
async def test_a_chunk_that_floods_again_is_held_again() -> None:
    """A probe that passes proves that much and no more."""
    world = World()
    async with world.holding(change) as (_, work):
        world.is_broken = False
        world.courier.latency_s = 0.6
        await asyncio.sleep(1.3)  # the probe has passed, the chunk is on its way
        world.is_broken = True
        await asyncio.sleep(1)

        assert [len(wave) for wave in world.courier.waves] == [RECORDS, 1, RECORDS]
        assert world.guard.told()
        assert (world.journal.published, work.done()) == ([], False)


@fake_timed
@pytest.mark.parametrize(("latency_s", "took_s"), [(0.0, 0.0), (2.0, 2.0), (60.0, DRAIN_S)])
async def test_a_drain_waits_for_a_probe_alone(latency_s: float, took_s: float) -> None:
    """What only waits is given up at once; a probe on the wire has until the deadline."""
    world, loop = World(), asyncio.get_running_loop()
    async with world.holding(change) as (event, work):
        world.courier.latency_s = latency_s
        await asyncio.sleep(0.6)  # just after the first probe has begun
        started = loop.time()
        await world.lanes.drain(2)

        assert took_s - 0.2 <= loop.time() - started <= took_s + 2 * LOOK_S
        await work
        assert (event.acked, world.guard.told(), world.journal.published) == (False, {}, [])


@fake_timed
async def test_the_watchdog_lets_a_held_lane_be() -> None:
    """It stands still for a reason."""
    world = World()
    async with world.holding(malformed):
        await asyncio.sleep(10 * STUCK_S)

        assert world.crashes == []


@fake_timed
async def test_a_probe_that_hangs_is_stuck() -> None:
    """Nothing holds it: it should have been answered, or have timed out."""
    world = World()
    async with world.holding(change):
        world.courier.latency_s = 1e6
        await asyncio.sleep(STUCK_S + 3)

        assert len(world.crashes) == 1


@fake_timed
async def test_other_lanes_go_on() -> None:
    """Those of another topic, and those of this one that have nothing dead."""
    world = World()
    async with world.holding(malformed):
        for topic, records in (("domain-events", 0), (TOPIC, 1)):
            chunk = make_chunk([InputRecord(topic=topic, partition=1, value=b"{")] if records == 0 else [change(0)])
            await world.lanes._pipeline.process(chunk, UserChangesPlan)

        assert len(world.journal.published) == 2


@fake_timed
async def test_a_replay_does_not_wait_for_what_is_held() -> None:
    """A lane that is held has no turn, also where both are about the same person."""
    world = World()
    async with world.holding(change):
        chunk = make_chunk([replay_of(change(0))])
        await world.lanes._pipeline.process(chunk, ReplayPlan)

        assert [each.chunk.topic for each in world.journal.published] == [chunk.topic]
