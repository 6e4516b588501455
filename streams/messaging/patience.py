"""How long a caller waits for one API, and which error ends it: a worker waits for ever, an application does not.

It looks at where the work stands, never at what it says.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from schemas.errors import BusyError, ConfigError, StreamsError, UnauthorisedError, UnavailableError
from streams.customerio.breaker import ADVICE
from streams.customerio.wire import Wire, noted

UNFINISHED_MAX: Final = 1_000
"""So many calls of one API may be under way or wait for their turn; one more is told to come back later."""

LOOK_S: Final = 0.1
"""So soon a waiting caller is told that there is nothing to wait for any more."""

T = TypeVar("T")


class Patience:
    """Lets `slots` calls work at once; `unanswered` makes the error for a call that time is up for within a request."""

    def __init__(self, wire: Wire, *, slots: int, unanswered: Callable[[str], StreamsError]) -> None:
        self._wire = wire
        self._slots = asyncio.Semaphore(slots)
        self._unanswered = unanswered
        self._unfinished: set[asyncio.Task[Any]] = set()
        self._at_work: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    async def within(self, timeout_s: float, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the work returns, if it does in time; cancelled, the work is cancelled too.

        Raises:
            StreamsError: it cannot, or did not; the class says what that means for the caller.
        """
        if self._is_closed:
            raise UnavailableError("the service is closed")
        if len(self._unfinished) >= UNFINISHED_MAX:
            raise BusyError(f"{UNFINISHED_MAX} operations wait already: say less at once, or later")
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + timeout_s
        task = asyncio.create_task(self._in_turn(work))
        self._unfinished.add(task)
        try:
            while not task.done():
                left_s = until_s - now_s()
                if error := self._why_not(task, left_s, timeout_s):
                    raise error
                await asyncio.wait([task], timeout=max(0.0, min(left_s, LOOK_S)))
            if task.cancelled():
                raise self._unanswered("the service was closed")
            return task.result()
        finally:
            self._unfinished.discard(task)
            await self._end(task)

    async def _end(self, task: "asyncio.Task[Any]") -> None:
        """Cancel it, if it is not over; on the wire the breaker hears that somebody's time was up."""
        self._wire.impatient.add(task)
        task.cancel()
        try:
            await asyncio.wait([task])
        finally:
            self._wire.impatient.discard(task)

    def close(self) -> None:
        """End what is under way; nothing begins any more."""
        self._is_closed = True
        for task in self._unfinished:
            task.cancel()

    async def _in_turn(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with self._slots:
            with noted(self._at_work):
                return await work()

    def _why_not(self, task: "asyncio.Task[Any]", left_s: float, timeout_s: float) -> StreamsError | None:
        """Why it is of no use to wait any longer; None while it is."""
        if task in self._wire.on_wire:
            return None if left_s > 0 else self._unanswered(f"no answer within {timeout_s:g} s")
        breaker = self._wire.breaker
        wait_s = breaker.wait_s
        is_hopeless = wait_s > max(left_s, 0.0) or (wait_s > 0 and breaker.reason in ("credentials", "address"))
        if not breaker.is_closed and (is_hopeless or left_s <= 0):
            return held_error(breaker.reason, wait_s)
        if left_s > 0:
            return None
        if task not in self._at_work:
            return BusyError(f"others that are under way left it no room within {timeout_s:g} s: nothing was sent")
        if task in self._wire.waiting:
            return UnavailableError(f"Customer.io has not taken it within {timeout_s:g} s, after several attempts")
        return BusyError(f"the rate did not allow it within {timeout_s:g} s")


def held_error(reason: str, wait_s: float) -> StreamsError:
    """The error for a caller while an API is held."""
    match reason:
        case "credentials":
            return UnauthorisedError("Customer.io refuses the credentials of the account")
        case "address":
            return ConfigError("Customer.io is not where the account's region or URL says")
        case "outage" | "ambiguous":
            return UnavailableError(f"Customer.io is held: {ADVICE[reason]}", retry_after_s=wait_s)
        case _:
            return BusyError("Customer.io asks us to wait", retry_after_s=wait_s)
