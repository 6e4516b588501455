"""With one attempt allowed: between a failure and itself nothing can be accepted, so it takes a second one to blame."""

import asyncio

import pytest

from tests.fake_time import fake_timed
from tests.fakes import OK, FakeClient
from tests.track_world import DOWN, REGION, World, names, parcels, shown


def failing(times: int) -> FakeClient:
    """Fail requests with X so often; everything else is accepted."""
    left = iter(range(times))
    return FakeClient(
        answers=lambda at, body: (
            REGION if at == "region" else DOWN if "X" in names(body) and next(left, None) is not None else OK
        ),
        latency_s=0.02,
    )


async def traffic(world: World) -> None:
    """Others' requests, ten a second."""
    for n in range(10**9):
        await world.sender.send_batch(parcels(n))
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("items", [("X",), ("a", "X", "b")], ids=["alone", "among others"])
@fake_timed
async def test_one_failure_among_others_that_are_accepted_is_no_outage(items: tuple[str, ...]) -> None:
    """It is tried again, and nobody is held."""
    world = World(failing(1), attempts_max=1)
    others = asyncio.create_task(traffic(world))
    verdicts = await world.sender.send_batch(parcels(*items))
    others.cancel()

    assert shown(verdicts) == [(True, 200, 2)] * len(items)
    assert world.observer.holds == []


@fake_timed
async def test_a_second_failure_among_others_that_are_accepted_is_its_own() -> None:
    """What was allowed is used up by then."""
    world = World(failing(10**9), attempts_max=1)
    others = asyncio.create_task(traffic(world))
    await asyncio.sleep(10)
    verdicts = await world.sender.send_batch(parcels("X"))
    others.cancel()

    assert [(verdict.reason, verdict.attempts) for verdict in verdicts] == [("retries_exhausted", 2)]
    assert world.observer.holds == []


@fake_timed
async def test_an_outage_is_told_by_the_second_failure() -> None:
    """Nothing is accepted in between; and when it is over, everything goes on."""
    world = World(FakeClient([DOWN] * 12, latency_s=0.02), attempts_max=1)
    verdicts = await asyncio.gather(*(world.sender.send_batch(parcels(n)) for n in range(4)))

    assert [verdict.accepted for lane in verdicts for verdict in lane] == [True] * 4
    assert world.observer.holds == [("track", "outage")]
