"""Serves a sandbox over HTTP: in the foreground until a signal, or in a thread for as long as a test needs it."""

import contextlib
import errno
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Final

import uvicorn

from schemas.errors import UnavailableError
from streams.sandbox.app import create_app
from streams.sandbox.options import HOST, SandboxOptions
from streams.sandbox.protocol import LineProtocol
from streams.sandbox.world import World

BACKLOG: Final = 2048
SHUTDOWN_S: Final = 1
"""So long a request may still be answered after a signal; hanging ones are cut."""

STOP_S_MAX: Final = 10.0


def serve(*, host: str, port: int, options: SandboxOptions) -> None:
    """Serve in the main thread until SIGINT or SIGTERM, then return; port 0 takes a free one.

    Raises:
        UnavailableError: The port is taken, or the host is none of this machine's.
    """
    listener = _listen(host, port)
    server = _server(options)
    signals = (signal.SIGINT, signal.SIGTERM)
    # uvicorn catches signals only later, and raises the one it caught again at its end: this takes both.
    previous = {each: signal.signal(each, server.handle_exit) for each in signals}
    try:
        sys.stdout.write(f"sandbox: listening on {_url(host, listener)}\n")
        sys.stdout.flush()
        server.run(sockets=[listener])
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)
        listener.close()


@contextlib.contextmanager
def running_sandbox(options: SandboxOptions | None = None, *, host: str = HOST, port: int = 0) -> Iterator[str]:
    """Serve in a thread of its own and yield the URL; stopped at the end of the `with`."""
    listener = _listen(host, port)
    server = _server(options or SandboxOptions())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
    thread.start()
    try:
        yield _url(host, listener)
    finally:
        server.should_exit = True
        thread.join(STOP_S_MAX)
        listener.close()


def _server(options: SandboxOptions) -> uvicorn.Server:
    app = create_app(World(options=options), options=options)
    config = uvicorn.Config(
        app,
        http=LineProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=options.keep_alive_s,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    return uvicorn.Server(config)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} on {host} is taken: stop what listens there, or choose another port"
            raise UnavailableError(message) from error
        raise UnavailableError(f"cannot listen on {host}, port {port}: {error.strerror}") from error


def _url(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"
