"""Ends what waits too long for its confirmation: one timer for all, as one for each would cost a third of the speed."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

SWEEP_S: Final = 0.1


class Deadlines:
    """Futures of one event loop that have the same `timeout_s` each, after which they fail with `late()`."""

    def __init__(self, timeout_s: float, late: Callable[[], Exception]) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        self._late = late
        self._until_s: dict[asyncio.Future[Any], float] = {}  # the oldest first
        self._is_sweeping = False

    def begin(self, future: "asyncio.Future[Any]") -> None:
        """From now on its time runs; `end` must follow."""
        self._until_s[future] = self._loop.time() + self._timeout_s
        if not self._is_sweeping:
            self._is_sweeping = True
            self._loop.call_later(min(SWEEP_S, self._timeout_s), self._sweep)

    def end(self, future: "asyncio.Future[Any]") -> None:
        """Nobody waits any more."""
        self._until_s.pop(future, None)

    def _sweep(self) -> None:
        now_s = self._loop.time()
        while (future := next(iter(self._until_s), None)) is not None and self._until_s[future] <= now_s:
            del self._until_s[future]
            if not future.done():
                future.set_exception(self._late())
        self._is_sweeping = bool(self._until_s)
        if self._is_sweeping:
            self._loop.call_later(min(SWEEP_S, self._timeout_s), self._sweep)
