"""One timer ends whatever waits too long, in fake time."""

import asyncio

import pytest

from streams.messaging.deadlines import SWEEP_S, Deadlines
from tests.fake_time import fake_timed

TIMEOUT_S = 30.0


@fake_timed
async def test_each_ends_when_its_own_time_is_up() -> None:
    """A sweep later at most; who has an answer, or has given up, is left alone."""
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(TIMEOUT_S, lambda: ZeroDivisionError("late"))

    async def waited(after_s: float) -> float:
        await asyncio.sleep(after_s)
        future, began_s = loop.create_future(), loop.time()
        deadlines.begin(future)
        with pytest.raises(ZeroDivisionError):
            await future
        return loop.time() - began_s

    answered, left = loop.create_future(), loop.create_future()
    deadlines.begin(answered)
    deadlines.begin(left)
    answered.set_result(1)
    deadlines.end(left)
    waits_s = await asyncio.gather(waited(0), waited(10), waited(100))

    assert all(TIMEOUT_S <= each <= TIMEOUT_S + 1.1 * SWEEP_S for each in waits_s)
    assert (await answered, left.done()) == (1, False)


@fake_timed
async def test_it_sleeps_while_nobody_waits() -> None:
    """An event loop has nothing of it to end."""
    deadlines = Deadlines(TIMEOUT_S, ZeroDivisionError)
    future = asyncio.get_running_loop().create_future()
    deadlines.begin(future)
    deadlines.end(future)
    await asyncio.sleep(1)

    assert not deadlines._is_sweeping
