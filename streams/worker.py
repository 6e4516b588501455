"""One worker process: starts the app, waits for a signal or a crash, stops in bounded time.

`faust -A streams.worker …` finds the app here as well; it is made from the environment when it is asked for.
"""

import asyncio
import contextlib
import gc
import socket
from typing import Any

import structlog
import uvloop

from schemas.errors import StreamsError
from streams.app import DeliveryApp
from streams.background import alongside
from streams.health import HealthServer, bind, create_health_app
from streams.process_end import end_at_last, on_signal
from streams.pulse import Pulse
from streams.settings import Settings, load_settings
from streams.tracebacks import described

GC_THRESHOLD = (
    100_000  # a chunk's objects live until it is concluded: looking through them earlier costs a third of the CPU
)
STOP_S = 8.0  # beyond the drain: leaving the group, closing connections; then the process ends, whatever hangs

log = structlog.get_logger()


def run_worker(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT (0) or until something unforeseen happens (1)."""
    gc.set_threshold(GC_THRESHOLD, 50, 100)
    with bind(settings.http_host, settings.http_port) as listener:
        listener.listen()
        log.info("settings", **settings.masked())
        return uvloop.run(_run(settings, listener))


async def _run(settings: Settings, listener: socket.socket) -> int:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        end_at_last(settings.drain_s + STOP_S, 0)
        with contextlib.suppress(RuntimeError):  # the loop is closed: we are at the end already
            loop.call_soon_threadsafe(asked.set)

    on_signal(stop)
    Pulse(loop, stuck_s=settings.stuck_s).start()
    app = DeliveryApp(settings)
    app.finalize()
    health = create_health_app(is_live=app.is_live, is_ready=app.is_ready, metrics=app.delivery.metrics.page)
    async with alongside(HealthServer(health, listener).run()):
        return await _work(app, asked)


async def _work(app: DeliveryApp, asked: asyncio.Event) -> int:
    starting = asyncio.create_task(app.start())
    stopping = asyncio.create_task(asked.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done() and (error := starting.exception()):
        end_at_last(STOP_S, 1)
        if isinstance(error, StreamsError):
            raise error
        log.error("could not start", error=described(error))
        return 1
    ended = asyncio.create_task(app.wait_until_stopped())
    await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
    code = 1 if app.crashed else 0
    log.info("stopping", crashed=app.crashed)
    if app.crashed:
        end_at_last(app.settings.drain_s + STOP_S, code)
    await app.stop()
    return code


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    """Make `app` for Faust's command line."""
    if name == "app":
        globals()["app"] = DeliveryApp(load_settings())
        return globals()["app"]
    raise AttributeError(name)
