"""What the courier makes of the real sender's waits: who is held, and who is only in line."""

import asyncio
from collections.abc import Callable

import pytest

from schemas.answer import Answer, NoAnswer
from tests.fakes import FakeClient
from tests.lane_world import LaneWorld, lane_timed
from tests.track_world import DOWN, REGION, World, parcels

WIRE_S = 2.0
Answers = Callable[[str, bytes], Answer | NoAnswer]


def world_of(answers: Answers, *, latency_s: float = WIRE_S) -> tuple[LaneWorld, World]:
    """A lane with one parcel, before an API that answers so."""
    track = World(FakeClient(answers=answers, latency_s=latency_s), backoff_s=20)
    world = LaneWorld(track=track.sender)
    world.parcels[0] = parcels("a")
    return world, track


def places(world: LaneWorld) -> tuple[bool, bool]:
    """Whether the only lane is held, and whether it is in line."""
    (lane,) = world.lanes.working()
    return lane in world.courier.held(), lane in world.courier.in_line()


@lane_timed
async def test_a_request_is_neither_held_nor_in_line() -> None:
    """It is answered in time, or times out."""
    world, _ = world_of(lambda *_: Answer(200, b"{}"))
    async with world.running():
        await world.begin(0)

        assert places(world) == (False, False)


@lane_timed
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(DOWN, id="a pause between two attempts"),
        pytest.param(Answer(503, b"", 300.0), id="Retry-After"),
        pytest.param(Answer(429, b"", None), id="too fast"),
        pytest.param(Answer(401, b""), id="credentials"),
    ],
)
async def test_whoever_may_not_go_is_held_and_in_line(answer: Answer) -> None:
    """Whatever the reason."""
    world, track = world_of(lambda endpoint, _: REGION if endpoint == "region" else answer)
    async with world.running():
        await world.begin(0)
        await asyncio.sleep(WIRE_S)

        assert (len(track.client.calls), places(world)) == (1, (True, True))


@lane_timed
async def test_a_probe_is_on_the_wire() -> None:
    """It may be the one that is accepted."""
    world, track = world_of(lambda *_: Answer(401, b""), latency_s=5)
    async with world.running():
        await world.begin(0)
        while track.breaker.state != "half_open":  # noqa: ASYNC110 - the breaker tells nobody
            await asyncio.sleep(1)

        assert places(world) == (False, False)
