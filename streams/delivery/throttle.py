"""The rate: this worker's share of the fleet's budget of requests, kept with aiolimiter."""

import asyncio
import time

from aiolimiter import AsyncLimiter

BURST = 0.1  # of a second's worth, at least one request


class Throttle:
    """Lets at most `rate_per_s` times share requests through, with a burst of a tenth; a share begins empty."""

    def __init__(self, rate_per_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._limiter: AsyncLimiter | None = None
        self._changed = asyncio.Event()
        self.waited_s = 0.0

    @property
    def rate_per_s(self) -> float:
        """What is allowed now; 0 while this worker owns nothing."""
        return self._limiter.max_rate / self._limiter.time_period if self._limiter else 0.0

    async def set_share(self, share: float) -> None:
        """Own this part, 0 to 1, of the fleet's partitions, and so of its budget."""
        rate = self._rate_per_s * share
        if rate == self.rate_per_s:
            return
        self._limiter = None
        if rate > 0:
            burst = max(1.0, rate * BURST)
            limiter = AsyncLimiter(burst, burst / rate)
            await limiter.acquire(burst)  # a limiter of aiolimiter starts with its burst to give away
            self._limiter = limiter
        self._changed.set()

    async def acquire(self) -> None:
        """Return when a request may be sent."""
        started = time.monotonic()
        while True:
            limiter = self._limiter
            if limiter is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            await limiter.acquire()
            if limiter is self._limiter:
                self.waited_s += time.monotonic() - started
                return
