"""The watchdog: a lane that makes no progress although nothing holds it ends the process. Mends nothing.

A future that nobody will ever resolve, a library's thread that never comes back, a request that outlives its time-out:
what it was is for whoever reads the stacks; a new process starts from what is committed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

import structlog

from streams.progress import Progress
from streams.stacks import log_stacks

POLL_S = 1.0
LANES_SHOWN = 10

InLine = Callable[[], AbstractSet[Progress]]

log = structlog.get_logger()


class StuckError(AssertionError):
    """A lane stands still, and nothing that we know of will set it going again."""


class Lanes(Protocol):
    """What is watched."""

    is_ours: Callable[[], bool]
    crash: Callable[[BaseException], Awaitable[None]]

    def working(self) -> Collection[Progress]:
        """How the work in flight gets on."""


class Watchdog:
    """Ends the process for a lane that is idle for `stuck_s`, other than those `in_line`, whose turn will come.

    While Kafka is away nothing is ours, and everything waits. Time is counted in looks: time in which the whole process
    was stopped does not count.
    """

    def __init__(
        self,
        lanes: Lanes,
        *,
        in_line: Sequence[InLine],
        stuck_s: float,
        count: Callable[[int], None],
    ) -> None:
        self._lanes = lanes
        self._in_line = in_line
        self._stuck_s = stuck_s
        self._count = count

    async def run(self) -> None:
        """Look until something is stuck."""
        while not (stuck := self._look()):  # noqa: ASYNC110 - nobody sets an event for what does not happen
            await asyncio.sleep(POLL_S)
        self._count(len(stuck))
        for lane in stuck[:LANES_SHOWN]:
            log.error("lane stuck", **lane.of, stage=lane.stage, idle_s=lane.idle_s)
        log_stacks(asyncio.get_running_loop())
        await self._lanes.crash(StuckError(f"{len(stuck)} lanes have not moved for {self._stuck_s:g} s"))

    def _look(self) -> list[Progress]:
        lanes = self._lanes.working()
        excused = set().union(*(each() for each in self._in_line)) if self._lanes.is_ours() else lanes
        for lane in lanes:
            lane.idle_s = 0.0 if lane in excused else lane.idle_s + POLL_S
        return [lane for lane in lanes if lane.idle_s >= self._stuck_s]
