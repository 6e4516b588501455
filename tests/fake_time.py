"""An event loop without waiting: what takes an hour there takes no time here, in the same order."""

import asyncio
import functools
import heapq
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

TICK_S = 1e-9  # a clock that stood still would ring a timer that is a rounding error too early for ever


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer as soon as nothing else is left to do."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0

    def time(self) -> float:
        """The loop's own time, in seconds."""
        return self._now

    def _run_once(self) -> None:
        queue: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # asyncio's own
        while queue and queue[0].cancelled():
            handle = heapq.heappop(queue)
            handle._scheduled = False  # type: ignore[attr-defined]
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
        if queue and not self._ready:  # type: ignore[attr-defined]
            self._now = max(self._now, queue[0].when()) + TICK_S
        super()._run_once()  # type: ignore[misc]


def in_fake_time(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a loop of fake time."""
    with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
        return runner.run(work)


def fake_timed(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run a test that is a coroutine on a loop of fake time."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return in_fake_time(test(*args, **kwargs))

    return run
