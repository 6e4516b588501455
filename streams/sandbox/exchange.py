"""One request in a sandbox: all of its body, and the ways to answer it on the wire. It decides nothing."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.sandbox.request_log import RequestLog, SeenRequest

CONNECTION: Final = "sandbox_connection"
"""Where the connection is in the ASGI scope's state; `protocol` puts it there."""

ITEMS: Final = "items"
"""Where the calls put, in the same state, how many operations a batch holds."""

BATCH_PATH: Final = "/api/v2/batch"
BODY_BYTES_MAX: Final = 8_000_000
"""So much of a body is read before anybody looks at it: more than any call accepts."""

TRICKLES_MAX: Final = 10

Sleep = Callable[[float], Awaitable[None]]


class Connection(Protocol):
    """What ASGI has no word for."""

    number: int
    is_closed: bool

    def reset(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


@dataclass(slots=True, kw_only=True, eq=False)
class Exchange:
    """`latency_s` delays whatever is answered; `extra_headers` come on top of any answer's own."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    body: bytes
    is_whole: bool
    seen: SeenRequest
    log: RequestLog
    clock: Callable[[], float]
    sleep: Sleep
    latency_s: float
    extra_headers: Sequence[tuple[bytes, bytes]] = ()

    async def carry_out(self, body: bytes | None = None) -> Response:
        """Let the calls have the request, with another body if one is given; their answer is not sent yet."""
        answered, parts = Response(), bytearray()

        async def capture(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.status_code = message["status"]
                answered.raw_headers = list(message["headers"])
            parts.extend(message.get("body", b""))

        await self.app(self.scope, self._replay(self.body if body is None else body), capture)
        answered.body = bytes(parts)
        return answered

    async def answer(self, response: Response, *, after_s: float = 0.0) -> None:
        """Send an answer."""
        await self._start(response, after_s=after_s)
        self._end(response.status_code)
        await self.send({"type": "http.response.body", "body": response.body})

    async def trickle(self, response: Response, *, over_s: float) -> None:
        """Send the headers at once and the body bit by bit."""
        await self._start(response)
        pieces = list(_pieces(bytes(response.body)))
        for piece in pieces:
            await self.sleep(over_s / len(pieces))
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})
        self._end(response.status_code)
        await self.send({"type": "http.response.body", "body": b""})

    async def cut(self, response: Response) -> None:
        """Send the headers and half of the body that they announce, and close the connection."""
        await self._start(response)
        half = bytes(response.body[: len(response.body) // 2])
        await self.send({"type": "http.response.body", "body": half, "more_body": True})
        self._end(response.status_code)
        self._connection().close()
        await self.until_disconnected()

    async def reset(self, *, after_s: float = 0.0) -> None:
        """End the connection without a byte of an answer."""
        if after_s:
            await self.sleep(after_s)
        self.end_unanswered()
        self._connection().reset()
        await self.until_disconnected()  # returning earlier would make the server complain of a missing answer

    async def until_disconnected(self) -> None:
        """Return when the connection has ended."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def end_unanswered(self) -> None:
        """Note that there will be no answer."""
        self._end(None)

    @property
    def target(self) -> str:
        """What was asked for, as it was sent."""
        query = self.scope.get("query_string", b"").decode("ascii", errors="replace")
        path: str = self.scope["path"]
        return f"{path}?{query}" if query else path

    @property
    def items(self) -> int | None:
        """How many operations the request holds; None when a batch cannot be read."""
        if self.scope["path"] != BATCH_PATH:
            return int(self.scope["method"] != "GET")
        if self.seen.items is None:
            known: int | None = self.scope["state"].get(ITEMS)
            self.seen.items = _count_items(self.body) if known is None else known
        return self.seen.items

    async def _start(self, response: Response, *, after_s: float = 0.0) -> None:
        wait_s = self.latency_s + after_s
        if wait_s:
            await self.sleep(wait_s)
        headers = [*response.raw_headers, *self.extra_headers]
        await self.send({"type": "http.response.start", "status": response.status_code, "headers": headers})

    def _end(self, status: int | None) -> None:
        # Before the last byte is sent: whoever has the answer finds it in the log.
        self.seen.items = self.items
        self.log.end(self.seen, status=status, now=self.clock())

    def _replay(self, body: bytes) -> Receive:
        messages = iter([{"type": "http.request", "body": body, "more_body": not self.is_whole}])

        async def replay() -> Message:
            return next(messages, None) or await self.receive()

        return replay

    def _connection(self) -> Connection:
        connection: Connection | None = self.scope["state"].get(CONNECTION)
        if connection is None:
            raise ConnectionResetError("the sandbox breaks off this request; only a served one can do so on the wire")
        return connection


async def read_body(receive: Receive) -> tuple[bytes, bool]:
    """Return a request's body, and whether it is whole: not when the client left, or when there is no end of it."""
    parts = bytearray()
    while len(parts) <= BODY_BYTES_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(parts), False
        parts += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(parts), True
    return bytes(parts), False


def _pieces(body: bytes) -> Iterator[bytes]:
    step = max(1, -(-len(body) // TRICKLES_MAX))
    return (body[start : start + step] for start in range(0, len(body), step))


def _count_items(body: bytes) -> int | None:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    items = parsed.get("batch") if isinstance(parsed, dict) else None
    return len(items) if isinstance(items, list) else None
