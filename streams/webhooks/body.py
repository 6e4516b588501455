"""Reads the body of a request to its end, whatever becomes of it, and keeps no more of it than may be kept.

To the end, because a connection that is closed while Customer.io still sends is a reset to it, and costs an hour.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from streams.webhooks.records import KEPT_BYTES
from streams.webhooks.room import Room
from streams.webhooks.signatures import Verification

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Body:
    """What came: `kept` is all of it, or the beginning where `is_too_large`, or nothing where `is_shed`."""

    __slots__ = ("_bytes_max", "_parts", "_room", "is_gone", "is_shed", "is_too_large", "size")

    def __init__(self, room: Room, *, bytes_max: int) -> None:
        self._room = room
        self._bytes_max = bytes_max
        self._parts: list[bytes] = []
        self.size = 0
        self.is_too_large = False
        self.is_shed = False
        self.is_gone = False

    async def read(self, receive: Receive, verification: Verification) -> None:
        """Take all parts; `is_gone` tells of a client that left before the end."""
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                self.is_gone = True
                return
            more = message.get("more_body", False)
            if part := message.get("body", b""):
                verification.add(part)
                self._keep(part)
        self._room.has_arrived(self)

    def shed(self) -> None:
        """Keep nothing of it; it is read to its end all the same."""
        self.is_shed = True
        self.let_go()

    @property
    def kept(self) -> bytes:
        """In one piece."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def let_go(self) -> None:
        """Forget it."""
        self._room.has_arrived(self)
        self._room.give_back(sum(map(len, self._parts)))
        self._parts.clear()

    def _keep(self, part: bytes) -> None:
        self.size += len(part)
        if self.is_shed or self.is_too_large:
            return
        if not self._room.take(len(part), self):
            self.shed()
            return
        self._parts.append(part)
        if self.size > self._bytes_max:
            self.is_too_large = True
            beginning = self.kept[:KEPT_BYTES]
            self._room.give_back(self.size - len(beginning))
            self._parts = [beginning]


async def discard(receive: Receive) -> None:
    """Read to the end and keep nothing."""
    more = True
    while more:
        message = await receive()
        more = message["type"] == "http.request" and message.get("more_body", False)
