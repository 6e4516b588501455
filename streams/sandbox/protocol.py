"""Gives each connection a way to be reset, which ASGI has not; everything else is uvicorn's."""

import socket
import struct
from asyncio import Transport
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.sandbox.wire import RESET

LINGER_NOT: Final = struct.pack("ii", 1, 0)


class ResettableProtocol(H11Protocol):
    """A connection whose requests find a function under `RESET` in their scope's state: it resets the connection."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Put the function where every request of this connection finds it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, RESET: self._reset}

    def _reset(self) -> None:
        # Without lingering, closing sends RST: the client sees "connection reset", not a tidy end.
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.transport.abort()
