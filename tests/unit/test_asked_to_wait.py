"""A server that asks us to wait is asked nothing meanwhile, and what it answers so is no record's fault."""

import asyncio
from collections.abc import Callable

from schemas.answer import Answer
from tests.fake_time import fake_timed
from tests.fakes import OK, FakeClient, Response
from tests.track_world import DOWN, REGION, World, parcels

WISH_S = 100.0
BUSY = Answer(503, b"", WISH_S)
HOUR_S = 3600.0
PROBED = 6  # requests until a lonely record would be suspected: all attempts, and as many probes


def world_of(answer: Callable[[str], Response]) -> World:
    """A world whose answer depends on the endpoint alone, and whose region always answers."""
    return World(FakeClient(answers=lambda at, _: REGION if at == "region" else answer(at), latency_s=0.02))


@fake_timed
async def test_the_region_convicts_nobody_of_a_retry_after() -> None:
    """It would answer, but the API says itself that it is the one who cannot: all is held, and delivered afterwards."""
    is_busy = True
    world = world_of(lambda _: BUSY if is_busy else OK)
    lanes = [asyncio.create_task(world.sender.send_batch(parcels(name))) for name in "XY"]
    await asyncio.sleep(HOUR_S)
    during = len(world.client.calls)
    assert (world.breaker.reason, {endpoint for endpoint, _ in world.client.calls}) == ("outage", {"batch"})
    is_busy = False
    verdicts = await asyncio.gather(*lanes)

    assert [verdict.accepted for lane in verdicts for verdict in lane] == [True, True]
    assert during <= 2 + HOUR_S / WISH_S
    assert world.observer.holds == [("track", "retry_after"), ("track", "outage")]


@fake_timed
async def test_the_region_is_not_asked_while_another_request_was_told_to_wait() -> None:
    """Whoever's request it was, the wish counts for all of the API: the one that is exhausted waits as well."""
    world = world_of(lambda _: DOWN)
    world.client.latency_s = 1.0
    early = await world.breaker.enter()
    lane = asyncio.create_task(world.sender.send_batch(parcels("X")))
    while len(world.client.calls) < PROBED:  # noqa: ASYNC110 - the client tells nobody
        await asyncio.sleep(0.1)
    world.breaker.fails(early, "HTTP 503", WISH_S)
    await asyncio.sleep(WISH_S - 1)
    lane.cancel()

    assert [endpoint for endpoint, _ in world.client.calls] == ["batch"] * PROBED


@fake_timed
async def test_a_404_asks_for_the_region_when_the_wait_is_over() -> None:
    """It was sent before another was told to wait: whether the URL is right can wait too."""
    world = world_of(lambda at: BUSY if at == "events" else Answer(404, b""))
    world.client.latency_s = 1.0
    waiting = asyncio.create_task(world.sender.send_anonymous(parcels("busy")[0]))
    await asyncio.sleep(0.5)
    lost = asyncio.create_task(world.sender.send_batch(parcels("lost")))
    await asyncio.sleep(10)
    assert lost in world.sender.waiting
    verdicts = await lost
    waiting.cancel()
    asked_s = next(at_s for at_s, (at, _) in zip(world.client.times, world.client.calls, strict=True) if at == "region")

    assert [verdict.reason for verdict in verdicts] == ["rejected"]
    assert asked_s - world.client.times[0] >= WISH_S
