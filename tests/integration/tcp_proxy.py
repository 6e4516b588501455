"""A TCP proxy on this machine that can stop forwarding, as a network does, or refuse, as a host without broker does."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Final, Self

HOST: Final = "127.0.0.1"
READ_BYTES: Final = 65_536
END_S: Final = 10.0


class TcpProxy:
    """Forwards what comes to `port` to `to_port`, in a thread of its own; both on this machine."""

    def __init__(self, port: int, *, to_port: int) -> None:
        self._port = port
        self._to_port = to_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._flows = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.Task[Any]] = set()

    def __enter__(self) -> Self:
        """Begin to forward."""
        self._flows.set()
        self._thread.start()
        self.accept()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(END_S)
        self._loop.close()

    def hold(self) -> None:
        """A black hole: connections stand and new ones come about, but not a byte passes."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def release(self) -> None:
        """What was held back is delivered, late, and all goes on."""
        self._loop.call_soon_threadsafe(self._flows.set)

    def refuse(self) -> None:
        """Close all connections, and take no new one."""
        self._run(self._refuse())

    def accept(self) -> None:
        """Take connections again."""
        self._run(self._accept())

    def _run(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(END_S)

    async def _accept(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self._port)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._ends:
            task.cancel()
        await asyncio.gather(*self._ends, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._ends.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._forward(reader, writer)
        writer.transport.abort()
        self._ends.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flows = self._flows
        await flows.wait()
        to_reader, to_writer = await asyncio.open_connection(HOST, self._to_port)
        ways = [asyncio.create_task(_pump(*way, flows)) for way in ((reader, to_writer), (to_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flows: asyncio.Event) -> None:
    while data := await reader.read(READ_BYTES):
        await flows.wait()
        writer.write(data)
        await writer.drain()
