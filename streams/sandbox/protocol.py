"""Gives each connection a number and ways to end that ASGI has not; everything else is uvicorn's."""

import itertools
import socket
import struct
from asyncio import Transport
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.sandbox.exchange import CONNECTION

LINGER_NOT: Final = struct.pack("ii", 1, 0)

_numbers = itertools.count(1)


class Line:
    """One connection, as the requests that come by it find it in their scope's state."""

    def __init__(self, transport: Transport) -> None:
        self.number = next(_numbers)
        self._transport = transport

    @property
    def is_closed(self) -> bool:
        """Whether it has ended, from either side."""
        return self._transport.is_closing()

    def reset(self) -> None:
        """Drop it at once, with a reset."""
        # Without lingering, closing sends RST: the client sees "connection reset", not a tidy end.
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self._transport.abort()

    def close(self) -> None:
        """Close it in good order once everything written is on its way."""
        self._transport.close()


class LineProtocol(H11Protocol):
    """A connection that every request finds under `CONNECTION`."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Put the connection where every request of it looks."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, CONNECTION: Line(transport)}
