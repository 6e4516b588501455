"""The rate of one worker, on a clock of its own: never above it, whatever the share, and not far below."""

import asyncio
import math

import pytest

from streams.delivery.throttle import LATE_S, Throttle
from streams.kafka.lease import Lease
from tests.fake_time import FakeTimeLoop, fake_timed
from tests.rate_windows import busiest_second, most_in_a_second

SHARES = [(100.0, 1.0), (100.0, 0.25), (100.0, 1 / 12), (10.0, 1.0), (3.0, 0.5), (0.1, 1.0), (7_000.0, 0.3)]
SHARED = pytest.mark.parametrize(("budget", "share"), SHARES)
SLOTS = 6


class LateLoop(FakeTimeLoop):
    """Every timer rings late, as on a machine that is busy with something else."""

    def call_at(self, when: float, *args: object, **kwargs: object) -> asyncio.TimerHandle:
        """As asyncio's, but later."""
        return super().call_at(when + 0.8 * LATE_S, *args, **kwargs)  # type: ignore[arg-type]  # passed on as they are


def held() -> Lease:
    """A lease without end."""
    lease = Lease(math.inf)
    lease.renew(lease.now_s())
    return lease


async def shared(budget: float, share: float = 1.0, lease: Lease | None = None) -> Throttle:
    """A throttle that owns a share already."""
    throttle = Throttle(budget, lease or held())
    await throttle.set_share(share)
    return throttle


async def take_for(throttle: Throttle, seconds: float) -> list[float]:
    """When requests were let through, for as long as this, by as many takers as a worker has slots."""
    now_s = asyncio.get_running_loop().time
    times: list[float] = []

    async def take() -> None:
        while True:
            await throttle.acquire()
            times.append(now_s())

    tasks = [asyncio.create_task(take()) for _ in range(SLOTS)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return times


@SHARED
@fake_timed
async def test_no_second_is_above_the_rate_and_a_burst(budget: float, share: float) -> None:
    """Idle or busy before: the rate, and one burst of a tenth, at least one request."""
    throttle = await shared(budget, share)
    busy = await take_for(throttle, 2)
    await asyncio.sleep(1000)
    after = await take_for(throttle, 2)

    assert busiest_second(busy + after) <= most_in_a_second(budget * share, 1)


@SHARED
@fake_timed
async def test_what_arrives_late_is_no_more(budget: float, share: float) -> None:
    """The first ones after a pause take longer on their way than those behind them."""
    throttle = await shared(budget, share)
    await asyncio.sleep(1000)
    times = await take_for(throttle, 2)
    times = [max(each, times[0] + LATE_S) for each in times]

    assert busiest_second(times) <= most_in_a_second(budget * share, 1)


@SHARED
@pytest.mark.parametrize("loop", [FakeTimeLoop, LateLoop])
def test_what_is_allowed_can_be_had(budget: float, share: float, loop: type[FakeTimeLoop]) -> None:
    """All but a twentieth, also on a machine that is a little late with everything."""
    seconds = max(20.0, 60 / (budget * share)) if budget < 1000 else 2.0

    async def check() -> int:
        return len(await take_for(await shared(budget, share), seconds))

    with asyncio.Runner(loop_factory=loop) as runner:
        count = runner.run(check())

    assert 0.9 <= count / (budget * share * seconds) <= 1


@fake_timed
async def test_a_share_begins_empty() -> None:
    """The first request waits its time, so that restarts do not add up; also when the share is the same as before."""
    throttle = await shared(10)
    await asyncio.sleep(1000)
    await throttle.set_share(1)
    now_s = asyncio.get_running_loop().time
    started_s = now_s()
    await throttle.acquire()

    assert now_s() - started_s == pytest.approx(0.1, rel=0.06)
    assert throttle.waited_s == pytest.approx(now_s() - started_s)


@fake_timed
async def test_without_a_share_nothing_goes() -> None:
    """Until one is set, and again when it is taken away; who waited is let through then."""
    throttle = Throttle(10, held())
    asyncio.get_running_loop().call_later(100, lambda: asyncio.ensure_future(throttle.set_share(1)))
    before = await take_for(throttle, 99)
    both = await take_for(throttle, 2)
    await throttle.set_share(0)
    after = await take_for(throttle, 100)

    assert (len(before), 8 <= len(both) <= 11, len(after)) == (0, True, 0)


@pytest.mark.parametrize(("old", "new"), [(1.0, 0.1), (0.1, 1.0), (0.5, 0.4), (0.5, 0.5)])
@fake_timed
async def test_a_change_of_share_counts_for_those_who_wait(old: float, new: float) -> None:
    """Nobody passes on the old share once the new one is set, and the seconds across stay within the larger."""
    throttle, loop = await shared(100, old), asyncio.get_running_loop()
    changed_s = loop.time() + 2
    loop.call_at(changed_s, lambda: asyncio.ensure_future(throttle.set_share(new)))
    times = await take_for(throttle, 4)
    after = [each for each in times if each > changed_s]

    assert min(after) >= changed_s + 1 / (100 * new)
    assert busiest_second(after) <= most_in_a_second(100 * new, 1)
    assert busiest_second(times) <= most_in_a_second(100 * max(old, new), 1)
    assert len(after) >= 2 * 0.9 * 100 * new


@pytest.mark.parametrize("lost_s", [0.0, 0.7])
@fake_timed
async def test_who_waits_for_the_lease_holds_no_token(lost_s: float) -> None:
    """However many wait for it, and whether it was lost before they asked or while they waited for their token."""
    lease, loop = held(), asyncio.get_running_loop()
    throttle = await shared(2, 1, lease)
    began_s = loop.time()
    loop.call_at(began_s + lost_s, lease.end)
    loop.call_at(began_s + 60, lease.renew, lease.now_s())
    times = await take_for(throttle, 65)
    without = [each for each in times if began_s + lost_s < each < began_s + 60]

    assert (len(without), busiest_second(times)) == (0, 2)
    assert len(times) >= 9
    assert throttle.waited_s <= SLOTS * 7, "the time without a lease is not the rate's"


@fake_timed
async def test_what_is_given_up_takes_nothing_with_it() -> None:
    """Work that is abandoned while it waits for the rate does not cost others theirs."""
    throttle = await shared(10)
    waiting = [asyncio.create_task(throttle.acquire()) for _ in range(50)]
    await asyncio.sleep(0.05)
    for task in waiting:
        task.cancel()
    times = await take_for(throttle, 2)

    assert len(times) >= 0.9 * 10 * 2


@fake_timed
async def test_it_tells_what_is_allowed() -> None:
    """For the metrics."""
    throttle = Throttle(100, held())
    before = throttle.rate_per_s
    await throttle.set_share(0.25)

    assert before == 0
    assert throttle.rate_per_s == pytest.approx(25)
