"""The rate: this worker's share of the fleet's budget of requests, kept with aiolimiter.

A bucket of depth d that lets r requests a second through lets at most d + r through in any second. A tenth of the rate,
at least one request, is the burst; what is late takes more room, and that is paid for by not using all of the rate.
"""

import asyncio

from aiolimiter import AsyncLimiter

from streams.kafka.lease import Lease

BURST = 0.1  # of a second's worth, at least one request
LATE_S = 0.025  # who wakes up so late loses nothing, and what arrives so late adds nothing to a later second …
USED = 1 - 2 * LATE_S  # … for as much of the rate


class Throttle:
    """Lets at most `budget_per_s` times share requests through; a share begins empty."""

    def __init__(self, budget_per_s: float, lease: Lease) -> None:
        self.rate_per_s = 0.0
        self.waited_s = 0.0
        self._budget_per_s = budget_per_s
        self._lease = lease
        self._limiter: AsyncLimiter | None = None
        self._has_share = asyncio.Event()

    async def set_share(self, share: float) -> None:
        """Own this part, 0 to 1, of the budget; also when it is the same again, what was saved up is gone."""
        self.rate_per_s = self._budget_per_s * share
        if self.rate_per_s > 0:
            self._limiter = await _empty(self.rate_per_s)
            self._has_share.set()
        else:
            self._limiter = None
            self._has_share.clear()

    async def acquire(self) -> None:
        """Return when a request may be sent: then it must be sent at once, and not wait for anything any more.

        So the lease is waited for first: else all that wait for it would go in the same moment, each with its token.
        """
        while True:
            await self._lease.acquire()
            if await self._token() and self._lease.is_held:
                return

    async def _token(self) -> bool:
        """Wait for a token, or for a share; false when there is none of the share that we have now."""
        now_s = asyncio.get_running_loop().time
        limiter, started_s = self._limiter, now_s()
        await (limiter.acquire() if limiter else self._has_share.wait())
        self.waited_s += now_s() - started_s
        return limiter is not None and limiter is self._limiter


async def _empty(rate_per_s: float) -> AsyncLimiter:
    """A limiter that has given away the burst with which aiolimiter's begin."""
    depth = max(1.0, rate_per_s * BURST) + rate_per_s * LATE_S
    limiter = AsyncLimiter(depth, depth / (rate_per_s * USED))
    await limiter.acquire(depth)
    return limiter
