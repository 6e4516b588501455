"""The rate, on a clock of its own: never above it, whatever the share, and not far below."""

import asyncio
import math

import pytest

from streams.delivery.throttle import Throttle
from tests.fake_time import in_fake_time

SHARES = [(100.0, 1.0), (100.0, 0.25), (100.0, 1 / 12), (10.0, 1.0), (3.0, 0.5), (0.1, 1.0), (7_000.0, 0.3)]


async def take_for(throttle: Throttle, seconds: float, *, takers: int = 4) -> list[float]:
    """When requests were let through, for as long as this."""
    loop = asyncio.get_running_loop()
    times: list[float] = []

    async def take() -> None:
        while True:
            await throttle.acquire()
            times.append(loop.time())

    tasks = [asyncio.create_task(take()) for _ in range(takers)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return times


def busiest_second(times: list[float]) -> int:
    """The most requests in any window of a second."""
    return max((sum(1 for each in times[n:] if each < start + 1) for n, start in enumerate(times)), default=0)


@pytest.mark.parametrize(("rate", "share"), SHARES)
def test_no_second_is_above_the_rate_and_a_burst(rate: float, share: float) -> None:
    """Idle or busy before: the rate, and one burst of a tenth, at least one request."""

    async def check() -> list[float]:
        throttle = Throttle(rate)
        await throttle.set_share(share)
        busy = await take_for(throttle, 2)
        await asyncio.sleep(5)
        return busy + await take_for(throttle, 2)

    allowed = rate * share + max(1.0, rate * share / 10)

    assert busiest_second(in_fake_time(check())) <= math.ceil(allowed)


@pytest.mark.parametrize(("rate", "share"), SHARES)
def test_what_is_allowed_can_be_had(rate: float, share: float) -> None:
    """Over a minute all but the first burst."""

    async def check() -> int:
        throttle = Throttle(rate)
        await throttle.set_share(share)
        return len(await take_for(throttle, 60))

    allowed = rate * share * 60

    assert allowed - max(1.0, rate * share / 10) - 1 <= in_fake_time(check()) <= allowed + 1


def test_a_share_begins_empty() -> None:
    """The first request of ten a second waits a tenth, so that restarts do not add up."""

    async def check() -> float:
        throttle = Throttle(10)
        await throttle.set_share(1)
        loop = asyncio.get_running_loop()
        started = loop.time()
        await throttle.acquire()
        return loop.time() - started

    assert in_fake_time(check()) == pytest.approx(0.1)


def test_without_a_share_nothing_goes() -> None:
    """Until one is set, and again when it is taken away; who waited is let through then."""

    async def check() -> tuple[int, int, int]:
        throttle = Throttle(10)
        loop = asyncio.get_running_loop()
        loop.call_later(100, lambda: asyncio.ensure_future(throttle.set_share(1)))
        before = await take_for(throttle, 99)
        both = await take_for(throttle, 2)
        await throttle.set_share(0)
        return len(before), len(both), len(await take_for(throttle, 100))

    before, both, after = in_fake_time(check())

    assert (before, 8 <= both <= 11, after) == (0, True, 0)


@pytest.mark.parametrize(("old", "new"), [(1.0, 0.1), (0.1, 1.0), (0.5, 0.4)])
def test_a_change_of_share_counts_for_those_who_wait(old: float, new: float) -> None:
    """Nobody passes on the old budget once the new one is set, and the seconds across stay within the larger."""

    async def check() -> tuple[list[float], float]:
        throttle = Throttle(100)
        await throttle.set_share(old)
        loop = asyncio.get_running_loop()
        changed = loop.time() + 2
        loop.call_later(2, lambda: asyncio.ensure_future(throttle.set_share(new)))
        return await take_for(throttle, 4, takers=20), changed

    times, changed = in_fake_time(check())
    after = [each for each in times if each > changed]

    assert busiest_second(after) <= math.ceil(100 * new + max(1, 10 * new))
    assert busiest_second(times) <= math.ceil(110 * max(old, new))
    assert len(after) >= 100 * new


def test_the_same_share_again_costs_nothing() -> None:
    """A rebalance that changes nothing does not empty the bucket."""

    async def check() -> float:
        throttle = Throttle(10)
        await throttle.set_share(1)
        await asyncio.sleep(5)
        await throttle.set_share(1)
        loop = asyncio.get_running_loop()
        started = loop.time()
        await throttle.acquire()
        return loop.time() - started

    assert in_fake_time(check()) == pytest.approx(0)


async def test_it_tells_what_is_allowed() -> None:
    """For the metrics."""
    throttle = Throttle(100)
    before = throttle.rate_per_s
    await throttle.set_share(0.25)

    assert before == 0
    assert throttle.rate_per_s == pytest.approx(25)
