"""Customer.io as the receiver sees it: signed requests, written to the socket byte by byte as a test wants them."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any, Final, Self

import orjson

PATH: Final = "/webhooks/customerio"
KEY: Final = "signing-key-1"
ANSWER_S: Final = 15.0


def make_body(**changes: object) -> bytes:
    """A usual webhook with these fields instead."""
    tree: dict[str, Any] = {
        "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
        "object_type": "email",
        "metric": "sent",
        "timestamp": 1613063089,
        "data": {
            "action_id": 42,
            "broadcast_id": 9,
            "customer_id": "0200000001",
            "delivery_id": "RPILAgUBcRhIBqSfeiIwdIYJKxTY",
            "identifiers": {"id": "42", "email": "test@example.com", "cio_id": "d9c106000001"},
            "recipient": "test@example.com",
        },
    }
    return orjson.dumps(tree | changes)


def signature(body: bytes, *, timestamp: str, key: str = KEY) -> str:
    """As Customer.io documents it; written down here once more, so that a mistake of ours shows."""
    return hmac.new(key.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


def signed_headers(body: bytes, *, key: str = KEY, at_s: float | None = None) -> dict[str, str]:
    """The two headers."""
    timestamp = str(int(time.time() if at_s is None else at_s))
    return {"X-CIO-Timestamp": timestamp, "X-CIO-Signature": signature(body, timestamp=timestamp, key=key)}


def make_request(body: bytes, headers: Mapping[str, str] | None = None, *, method: str = "POST") -> bytes:
    """The bytes of a request; signed unless other headers are given."""
    told = {"Host": "receiver", "Content-Length": str(len(body))} | dict(
        signed_headers(body) if headers is None else headers
    )
    lines = [f"{method} {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Connection:
    """One connection to the receiver."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def ask(self, request: bytes) -> int:
        """Send a request and give the answer's status."""
        self.writer.write(request)
        return await self.status()

    async def status(self) -> int:
        """The status of the next answer; 0 where the connection ends instead."""
        status, _ = await self.answer()
        return status

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of the next answer; 0 where the connection ends instead."""
        try:
            async with asyncio.timeout(ANSWER_S):
                head = await self._reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
                return int(head.split(b" ", 2)[1]), await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, b""


async def ask(port: int, request: bytes) -> int:
    """Send one request by a connection of its own."""
    async with await Connection.open(port) as connection:
        return await connection.ask(request)
