"""How long we may take ourselves for a member of the consumer group: one session beyond the last heartbeat answered.

A worker that was paused, or cut off, learns late that its partitions are another's. Kafka fences what it commits,
nobody fences what it sends: so nothing is sent without a lease. The consumer's thread renews it, the main loop asks it.
"""

import asyncio
import time
from collections.abc import Callable

POLL_S = 0.05
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux: goes on while the machine is suspended


class Lease:
    """`session_s` is the group's session timeout; the clock must go on while the process is stopped."""

    def __init__(self, session_s: float, clock_s: Callable[[], float] = lambda: time.clock_gettime(_CLOCK)) -> None:
        self._session_s = session_s
        self._clock_s = clock_s
        self._until_s = float("-inf")

    def now_s(self) -> float:
        """The time by which `renew` counts: take it before asking the group."""
        return self._clock_s()

    def renew(self, asked_at_s: float) -> None:
        """The group has answered, to what was asked then, that we are a member."""
        self._until_s = asked_at_s + self._session_s

    def end(self) -> None:
        """The group does not know us any more."""
        self._until_s = float("-inf")

    @property
    def is_held(self) -> bool:
        """Whether nobody else can have our partitions yet."""
        return self._clock_s() < self._until_s

    async def acquire(self) -> None:
        """Return while the lease is held: at once, or when Kafka is reached again and still knows us."""
        while not self.is_held:  # noqa: ASYNC110 - another thread renews it, and time ends it
            await asyncio.sleep(POLL_S)
