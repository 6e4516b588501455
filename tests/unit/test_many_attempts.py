"""When more attempts are needed than are allowed in one go: their pauses go on growing, and so does the time spent."""

import asyncio
from itertools import pairwise

import pytest

from streams.customerio.breaker import PAUSE_S_MAX
from tests.fake_time import fake_timed
from tests.fakes import OK, FakeClient, Response
from tests.track_world import DOWN, REGION, World, names, parcels

LATENCY_S = 0.02
NEEDED = 10  # where two of five fail, by chance less than one in ten thousand fails so often


def bad_weather() -> tuple[FakeClient, list[float]]:
    """Two of five records fail at their first try, X at each; and the times at which X does."""
    tried: set[object] = set()
    times: list[float] = []

    def answers(endpoint: str, body: bytes) -> Response:
        if endpoint == "region":
            return REGION
        (name,) = names(body)
        if name == "X":
            times.append(asyncio.get_running_loop().time())
            return DOWN
        is_first = name not in tried
        tried.add(name)
        return DOWN if is_first and isinstance(name, int) and name % 5 in {0, 2} else OK

    return FakeClient(answers=answers, latency_s=LATENCY_S), times


async def traffic(world: World) -> None:
    """Others' requests, two a second."""
    async with asyncio.TaskGroup() as group:
        for n in range(10**9):
            group.create_task(world.sender.send_batch(parcels(n)))
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("attempts_max", [1, 2, 3, 5])
@fake_timed
async def test_pauses_go_on_doubling(attempts_max: int) -> None:
    """However few attempts are allowed in one go, and when the time for them is used up it is asked after each."""
    client, times = bad_weather()
    world = World(client, attempts_max=attempts_max)
    others = asyncio.create_task(traffic(world))
    await asyncio.sleep(30)
    (verdict,) = await world.sender.send_batch(parcels("X"))
    others.cancel()
    gaps = [after - before - LATENCY_S for before, after in pairwise(times)]

    assert gaps == pytest.approx([2, 4, 8, 16, *[PAUSE_S_MAX] * (len(gaps) - 4)], abs=1)
    assert (verdict.reason, verdict.attempts, len(times)) == ("retries_exhausted", NEEDED, NEEDED)
    assert world.observer.holds == []
