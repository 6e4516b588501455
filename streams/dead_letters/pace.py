"""How fast letters are replayed, and whether to go on: a rate, and the signal that ends it between two transactions."""

import signal
import time
from types import FrameType
from typing import Any, Final, Self

LOOK_S: Final = 0.1
SMOOTH_S: Final = 0.25  # at a rate, so much goes at once

_Handler = Any  # what `signal.signal` takes and gives


class Pace:
    """A context manager in which the first SIGINT or SIGTERM only ends the pace; the second is as it ever was."""

    def __init__(self, rate_per_s: float | None = None) -> None:
        self.is_over = False
        self._rate_per_s = rate_per_s
        self._due_s = 0.0
        self._before: dict[int, _Handler] = {}

    @property
    def at_once(self) -> int:
        """How many letters one transaction may hold at this rate."""
        return 1_000_000 if self._rate_per_s is None else max(1, int(self._rate_per_s * SMOOTH_S))

    def wait(self, count: int) -> bool:
        """Return when so many more may go; false when it is over."""
        if self._rate_per_s is not None:
            while not self.is_over and (left_s := self._due_s - time.monotonic()) > 0:
                time.sleep(min(left_s, LOOK_S))  # an Event's own lock must not be asked for in a signal's handler
            self._due_s = max(self._due_s, time.monotonic()) + count / self._rate_per_s
        return not self.is_over

    def __enter__(self) -> Self:
        for each in (signal.SIGINT, signal.SIGTERM):
            self._before[each] = signal.signal(each, self._end)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.is_over = True
        self._restore()

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())
