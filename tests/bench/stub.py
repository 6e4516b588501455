"""Customer.io at its fastest: takes everything, answers after a while, counts. It checks nothing.

A process of its own, run by its path and importing nothing of ours. Its first line of output is its port; `GET /stats`
tells the counts. The sandbox, which does check, would be a part of what is measured.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
ITEM = b'"type":"person"'
SEND = b"POST /v1/send/"
TAKEN, SENT = b"{}", b'{"delivery_id":"d-1","queued_at":1}'


@dataclass(slots=True)
class Counts:
    """What has come in so far; `peak` is the most requests that were waiting for their answer at a time."""

    requests: int = 0
    items: int = 0
    waiting: int = 0
    peak: int = 0


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests have a body of known length, or none."""

    def __init__(self, counts: Counts, latency_s: float) -> None:
        self._counts = counts
        self._latency_s = latency_s
        self._buffer = bytearray()
        self._body_from = 0  # where the body begins, 0 while the head is incomplete
        self._body_to = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own, no subclass of it

    def data_received(self, data: bytes) -> None:
        """Take every request that is complete."""
        self._buffer += data
        while self._has_head() and len(self._buffer) >= self._body_to:
            body = bytes(self._buffer[self._body_from : self._body_to])
            is_question = self._buffer.startswith(b"GET")
            answer = SENT if self._buffer.startswith(SEND) else TAKEN
            del self._buffer[: self._body_to]
            self._body_from = 0
            if is_question:
                self._tell()
            else:
                self._take(body, answer)

    def _has_head(self) -> bool:
        if self._body_from:
            return True
        end = self._buffer.find(HEAD_END)
        if end < 0:
            return False
        _, _, length = bytes(self._buffer[:end]).lower().partition(LENGTH)
        self._body_from = end + len(HEAD_END)
        self._body_to = self._body_from + int(length.split(b"\r\n")[0] or 0)
        return True

    def _tell(self) -> None:
        self._transport.write(_response(json.dumps(asdict(self._counts)).encode()))

    def _take(self, body: bytes, answer: bytes) -> None:
        counts = self._counts
        counts.requests += 1
        counts.items += body.count(ITEM)
        counts.waiting += 1
        counts.peak = max(counts.peak, counts.waiting)
        asyncio.get_running_loop().call_later(self._latency_s, self._answer, answer)

    def _answer(self, answer: bytes) -> None:
        self._counts.waiting -= 1
        if not self._transport.is_closing():
            self._transport.write(_response(answer))


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def serve(latency_s: float) -> None:
    """Serve on a free port of this machine until the process is ended."""
    counts = Counts()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(counts, latency_s), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1]) / 1000))
