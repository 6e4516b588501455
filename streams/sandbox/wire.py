"""Stands between the network and the calls: delays answers and lets requests go wrong as the plan says.

It knows no call and no person. Paths reach the routes undecoded, so that an id may hold an encoded slash.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, cast
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.sandbox.answers import fault_answer
from streams.sandbox.chronicle import Chronicle
from streams.sandbox.fault_plan import FaultPlan
from streams.sandbox.faults import FaultStatus

RESET: Final = "sandbox_reset"
"""Where the connection's own reset is in the ASGI scope's state; `protocol` puts it there."""

API_PATHS: Final = ("/api/",)
"""Only these are delayed and go wrong; our own views always answer."""

Sleep = Callable[[float], Awaitable[None]]


class Wire:
    """ASGI middleware: one per sandbox."""

    def __init__(self, app: ASGIApp, *, plan: FaultPlan, chronicle: Chronicle, sleep: Sleep) -> None:
        self._app = app
        self._plan = plan
        self._chronicle = chronicle
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or let it go wrong."""
        raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
        scope = dict(scope) | {"path": raw_path.decode("ascii", errors="replace")}
        if not scope["path"].startswith(API_PATHS):
            await self._app(scope, receive, send)
            return
        kind = self._plan.draw()
        if kind is not None:
            self._chronicle.faults[kind] += 1
        latency_s = self._plan.faults.latency_ms / 1000
        match kind:
            case None:
                await self._app(scope, receive, self._delayed(send, delay_s=latency_s))
            case "slow":
                await self._app(scope, receive, self._delayed(send, delay_s=latency_s + self._plan.faults.slow_s))
            case "hang":
                await self._hang(scope, receive)
            case "reset_before":
                await self._drop(scope, receive)
            case "reset_after":
                await self._app(scope, receive, _swallow)
                await self._sleep(latency_s)
                await self._drop(scope, receive)
            case _:
                await self._fail(kind, scope, receive, self._delayed(send, delay_s=latency_s))

    def _delayed(self, send: Send, *, delay_s: float) -> Send:
        async def delayed(message: Message) -> None:
            if message["type"] == "http.response.start":
                if delay_s:
                    await self._sleep(delay_s)
                self._chronicle.requests[str(message["status"])] += 1
            await send(message)

        return delayed

    async def _fail(self, kind: FaultStatus, scope: Scope, receive: Receive, send: Send) -> None:
        await _read_to_the_end(receive)  # an answer before the request's end would reach the client as a reset
        response = fault_answer(kind, retry_after_s=self._plan.faults.retry_after_s)
        await response(scope, receive, send)

    async def _hang(self, scope: Scope, receive: Receive) -> None:
        try:
            async with asyncio.timeout(self._plan.faults.hang_s):
                await _until_disconnected(receive)
            self._chronicle.requests["dropped"] += 1
        except TimeoutError:
            await self._drop(scope, receive)

    async def _drop(self, scope: Scope, receive: Receive) -> None:
        """Reset the connection without a byte of an answer."""
        self._chronicle.requests["dropped"] += 1
        reset = cast("Callable[[], None] | None", scope.get("state", {}).get(RESET))
        if reset is None:
            raise ConnectionResetError("the sandbox drops this request; only a served one can do so on the wire")
        reset()
        await _until_disconnected(receive)  # returning earlier would make the server complain of a missing answer


async def _swallow(_message: Message) -> None:
    """Throw an answer away."""


async def _read_to_the_end(receive: Receive) -> None:
    while (await receive()).get("more_body", False):
        pass


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
