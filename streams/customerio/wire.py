"""One request on its way: its turn at the breaker, its share of the rate, the call. Judges nothing, repeats nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.answer import Answer, NoAnswer
from streams.customerio.breaker import Breaker, Permit
from streams.progress import touch

Response = Answer | NoAnswer
Call = Callable[[], Awaitable[Response]]


class Limiter(Protocol):
    """The rate."""

    async def acquire(self) -> None:
        """Return when a request may be sent."""


class RequestObserver(Protocol):
    """Counts requests."""

    def request(self, api: str, response: Response, *, seconds: float, items: int, body_bytes: int) -> None:
        """One request was answered, or failed on the way."""

    def retry(self, api: str, cause: str) -> None:
        """One request will be repeated."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call of the API, and what it carries."""

    call: Call
    items: int = 0
    body_bytes: int = 0


class Wire:
    """`on_wire` are the tasks inside a request, `waiting` those that wait to try, other than for the rate.

    `impatient` are those that are cancelled because somebody had no time left for them, and for no other reason.
    What goes here counts for `api`, whose rate the limiter keeps: the breaker's, unless said.
    """

    def __init__(
        self, breaker: Breaker, limiter: Limiter, observer: RequestObserver, *, api: str | None = None
    ) -> None:
        self.breaker = breaker
        self._api = api or breaker.api
        self.on_wire: set[asyncio.Task[Any]] = set()
        self.waiting: set[asyncio.Task[Any]] = set()
        self.impatient: set[asyncio.Task[Any]] = set()
        self._limiter = limiter
        self._observer = observer

    async def turn(self) -> Permit:
        """Return when a request may be sent; the breaker's `leave` must follow."""
        while True:
            with noted(self.waiting):
                permit = await self.breaker.enter()
            try:
                await self._limiter.acquire()
            except BaseException:
                self.breaker.leave(permit)
                raise
            if permit.is_probe or self.breaker.is_closed:
                permit.sent_s = asyncio.get_running_loop().time()  # the wait for the rate is no time of the request's
                return permit

    async def send(self, request: Request) -> Response:
        """What the call answers."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        touch("on the wire")
        with noted(self.on_wire):
            response = await request.call()
        seconds = loop.time() - started
        self._observer.request(self._api, response, seconds=seconds, items=request.items, body_bytes=request.body_bytes)
        return response

    @contextmanager
    def telling(self, gives_up: Callable[[], object]) -> Iterator[None]:
        """Let it be known when somebody's time is up inside; a worker that drains has not waited for the answer."""
        try:
            yield
        except asyncio.CancelledError:
            if asyncio.current_task() in self.impatient:
                gives_up()
            raise

    async def ask(self, request: Request) -> Response:
        """As `send`, for a question that is no delivery: within the rate, and only a server's wish makes it wait."""
        while True:
            with noted(self.waiting):
                await asyncio.sleep(self.breaker.silent_s)
            await self._limiter.acquire()
            if not self.breaker.silent_s:
                return await self.send(request)

    def count_retry(self, cause: str) -> None:
        """A request will be repeated."""
        self._observer.retry(self._api, cause)

    async def pause(self, seconds: float) -> None:
        """Wait before the next attempt; not at all when the breaker makes it wait anyway."""
        if self.breaker.is_closed:
            with noted(self.waiting):
                await asyncio.sleep(seconds)


@contextmanager
def noted(tasks: set[asyncio.Task[Any]]) -> Iterator[None]:
    """Keep this task among these for the length of the `with`."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - whoever waits is a task
    tasks.add(task)
    try:
        yield
    finally:
        tasks.discard(task)
