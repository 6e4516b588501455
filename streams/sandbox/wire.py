"""Stands between the network and the calls: every request to the API is noted, judged by the gate, and answered.

It knows no call and no person. Paths reach the routes undecoded, so that an id may hold an encoded slash.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from streams.sandbox.exchange import CONNECTION, Exchange, Sleep, read_body
from streams.sandbox.gate import Caller, Gate
from streams.sandbox.mishaps import let_happen
from streams.sandbox.request_log import RequestLog

API_PATHS: Final = ("/api/", "/v1/")
"""Only these are delayed, go wrong and are noted; our own views always answer."""


LOOKS_AT_THE_LINE: Final = 2
"""Turns of the event loop after which it has read the end of a connection that lay behind the request."""


class Wire:
    """ASGI middleware: one per sandbox."""

    def __init__(self, app: ASGIApp, *, gate: Gate, log: RequestLog, clock: Callable[[], float], sleep: Sleep) -> None:
        self._app = app
        self._gate = gate
        self._log = log
        self._clock = clock
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or let it go wrong."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)  # the sandbox's own start and end
            return
        raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
        path = raw_path.decode("ascii", errors="replace")
        scope = dict(scope) | {"path": path, "state": dict(scope.get("state", {}))}
        if not path.startswith(API_PATHS):
            await self._app(scope, receive, send)
            return
        exchange = await self._open(scope, receive, send)
        if await _has_left(scope):
            exchange.end_unanswered()
            return
        kind = self._decide(exchange) if exchange.is_whole else None  # else the calls say what is wrong with it
        await let_happen(kind, exchange, self._gate)

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> Exchange:
        line = scope["state"].get(CONNECTION)
        seen = self._log.open(
            scope["method"],
            scope["path"],
            headers=scope["headers"],
            connection=None if line is None else line.number,
            now=self._clock(),
        )
        body, is_whole = await read_body(receive)
        seen.body_bytes = len(body)
        return Exchange(
            app=self._app,
            scope=scope,
            receive=receive,
            send=send,
            body=body,
            is_whole=is_whole,
            seen=seen,
            log=self._log,
            clock=self._clock,
            sleep=self._sleep,
            latency_s=self._gate.faults.value.latency_ms / 1000,
        )

    def _decide(self, exchange: Exchange) -> str | None:
        now = self._clock()
        caller = Caller(
            method=exchange.scope["method"],
            path=exchange.scope["path"],
            authorization=_authorization(exchange.scope),
            body=exchange.body,
        )
        kind = self._gate.stop(caller, now=now)
        if kind is not None:
            self._log.stop(exchange.seen, kind)
        quota = self._gate.quota(now)
        if quota is not None:
            names = (b"x-ratelimit-limit", b"x-ratelimit-remaining")
            exchange.extra_headers = [(name, str(count).encode()) for name, count in zip(names, quota, strict=True)]
        return kind


async def _has_left(scope: Scope) -> bool:
    """Whether the caller hung up while the request waited to be looked at: on a busy machine that may be long.

    It is not carried out then, or it would come after what its caller, or another, has said since.
    """
    line = scope["state"].get(CONNECTION)
    for _ in range(LOOKS_AT_THE_LINE):
        await asyncio.sleep(0)
    return line is not None and bool(line.is_closed)


def _authorization(scope: Scope) -> str:
    found = (value for name, value in scope["headers"] if name == b"authorization")
    return bytes(next(found, b"")).decode("latin-1")
