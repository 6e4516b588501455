"""The receiver as a process: takes its port at once, finds Kafka, serves until a signal, and ends with nothing open.

It listens before Kafka is found, for an answer of 503 is tried again soon, a refused connection in an hour.
"""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Any, Final

import structlog
import uvicorn
import uvloop

from schemas.errors import UnavailableError
from streams.health import SignallessServer, bind, create_health_app
from streams.metrics.registry import tell_standing
from streams.process_end import end_at_last, on_signal
from streams.pulse import Pulse
from streams.settings import Settings
from streams.webhooks.observe import Observer
from streams.webhooks.protocol import HEAD_BYTES_MAX, punctual
from streams.webhooks.receiver import CONFIRM_S, PATH, Receiver
from streams.webhooks.records import Drafting
from streams.webhooks.room import Room
from streams.webhooks.route_topics import require_topics
from streams.webhooks.routes import Route, load_routes
from streams.webhooks.signatures import SigningKeys, require_signing_key
from streams.webhooks.writer import CLOSE_S, Writer, open_writer

KEEP_ALIVE_S: Final = 75
"""Long, for a connection that we close just when Customer.io uses it again is a reset to it."""

FINISH_S: Final = 4
"""So long may what is under way take after a signal."""

AGAIN_S: Final = 2.0
BACKLOG: Final = 2048

log = structlog.get_logger()


def run_receiver(settings: Settings) -> int:
    """Receive until SIGTERM or SIGINT; then 0.

    Raises:
        StreamsError: the settings, the routes or the topics are wrong, or the port is taken.
    """
    require_signing_key(settings)
    routes = load_routes(settings)
    with bind(
        settings.webhook_host, settings.webhook_port, host_setting="WEBHOOK_HOST", port_setting="WEBHOOK_PORT"
    ) as listener:
        log.info("settings", **settings.masked())
        return uvloop.run(_run(settings, routes, listener))


async def _run(settings: Settings, routes: Sequence[Route], listener: socket.socket) -> int:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        end_at_last(FINISH_S + CLOSE_S + CONFIRM_S, 0)
        with contextlib.suppress(RuntimeError):  # the loop is closed: we are at the end already
            loop.call_soon_threadsafe(asked.set)

    on_signal(stop)
    Pulse(loop, stuck_s=settings.stuck_s).start()
    room = Room()
    observer = Observer(room)
    receiver = Receiver(
        SigningKeys(settings),
        Drafting(settings, routes),
        tolerance_s=settings.webhook_tolerance_s,
        body_bytes_max=settings.webhook_body_max_bytes,
        room=room,
        observer=observer,
    )
    tell_standing(observer.registry, settings, lambda: receiver.is_open)
    server = create_server(receiver, observer)
    listener.listen(BACKLOG)  # whoever comes from now on waits for the server, and is not refused
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    opening = asyncio.create_task(_open(settings, routes, receiver))
    stopping = asyncio.create_task(asked.wait())
    _say_where(listener)
    writer = None
    try:
        await asyncio.wait({opening, stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            writer = opening.result()  # raises what is wrong with the topics
            await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
        return 0 if stopping.done() else 1
    finally:
        opening.cancel()
        await _finish(server, serving, writer)


async def _open(settings: Settings, routes: Sequence[Route], receiver: Receiver) -> Writer:
    """Find the topics, however long that takes, and let webhooks be written."""
    while True:
        try:
            await asyncio.to_thread(require_topics, settings, routes)
        except UnavailableError as error:
            log.warning("webhooks are answered 503 until Kafka is found", error=str(error))
            await asyncio.sleep(AGAIN_S)
        else:
            writer = open_writer(settings)
            receiver.open(writer)
            log.info("ready for webhooks", routes=[route.name for route in routes])
            return writer


async def _finish(server: uvicorn.Server, serving: "asyncio.Task[None]", writer: Writer | None) -> None:
    """Accept nothing more, finish what is under way, and wait until Kafka has it."""
    if not serving.done():
        log.info("stopping")
    server.should_exit = True
    await serving
    if writer is not None:
        await writer.close()


def _say_where(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    log.info("receiving webhooks", url=f"http://{shown}:{port}{PATH}")


def create_app(receiver: Receiver, observer: Observer) -> Any:  # noqa: ANN401 - ASGI's own loose types
    """Webhooks go straight to the receiver; all else is the worker's health app, on the same port and loop.

    So `/readyz` tells of the very socket that Customer.io speaks to. It does not fail when Kafka does: a 503 of ours is
    tried again soon, what a proxy without backends says is often a 502, and that costs an hour.
    """
    health = create_health_app(
        is_live=lambda: (True, {"live": True}),
        is_ready=lambda: (receiver.is_open, {"ready": receiver.is_open}),
        metrics=observer.page,
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as above
        is_webhook = scope["path"].removesuffix("/") == PATH  # a slash too many would cost an hour, and again
        await (receiver if is_webhook else health)(scope, receive, send)

    return app


def create_server(receiver: Receiver, observer: Observer) -> uvicorn.Server:
    """Give the server, to be served on a socket that is bound already."""
    return SignallessServer(
        uvicorn.Config(
            create_app(receiver, observer),
            http=punctual(observer),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=FINISH_S,
            h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        )
    )
