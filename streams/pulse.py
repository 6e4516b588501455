"""The event loop's pulse: when it stops, no task can tell any more, so a thread ends the process."""

import asyncio
import time
from collections.abc import Callable

import structlog

from streams.process_end import end_now, in_background
from streams.stacks import log_stacks

TICK_S = 0.25

log = structlog.get_logger()


class Pulse:
    """Ends the process with 1 once `loop` has not turned for `stuck_s`.

    Counted in ticks of our own, so that time in which the whole process was stopped does not count.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        stuck_s: float,
        sleep: Callable[[float], None] = time.sleep,
        end: Callable[[int, Callable[[], None]], None] = end_now,
    ) -> None:
        self._loop = loop
        self._stuck_s = stuck_s
        self._sleep = sleep
        self._end = end
        self._silent_s = 0.0

    def start(self) -> None:
        """Watch from a thread of its own, until the loop is closed."""
        in_background(self.watch, "pulse")

    def watch(self) -> None:
        """Watch until the loop is closed or stands still."""
        while self._silent_s < self._stuck_s:
            try:
                self._loop.call_soon_threadsafe(self._beat)
            except RuntimeError:
                return  # it is closed
            self._sleep(TICK_S)
            self._silent_s += TICK_S
        self._end(1, self._say)

    def _beat(self) -> None:
        self._silent_s = 0.0

    def _say(self) -> None:
        log.error("the event loop stands still", idle_s=self._silent_s)
        log_stacks(self._loop)
