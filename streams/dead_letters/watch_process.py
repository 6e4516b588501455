"""The watch as a process: its metrics and probes, signals, and an end in bounded time."""

import asyncio
import socket
import threading
from typing import Final

import structlog
from prometheus_client import generate_latest

from streams.background import alongside
from streams.dead_letters.watch import Watch
from streams.dead_letters.watch_metrics import watch_registry
from streams.health import HealthServer, bind, create_health_app, liveness
from streams.process_end import end_at_last, on_signal
from streams.settings import Settings

STOP_S: Final = 1.5
"""Nothing is lost when it is cut off."""

log = structlog.get_logger()


def run_watch(settings: Settings) -> None:
    """Watch until SIGTERM or SIGINT.

    Raises:
        StreamsError: a topic does not exist, or the port is taken.
    """
    with bind(settings.http_host, settings.dlq_watch_port, port_setting="DLQ_WATCH_PORT") as listener:
        listener.listen()
        log.info("settings", **settings.masked())
        asyncio.run(_run(settings, listener))


async def _run(settings: Settings, listener: socket.socket) -> None:
    asked = threading.Event()

    def stop() -> None:
        end_at_last(STOP_S, 0)
        asked.set()

    on_signal(stop)
    watch = Watch(settings, stop=asked)
    registry = watch_registry(watch, settings)
    health = create_health_app(
        is_live=lambda: liveness(watch.turned_s, settings.stuck_s),
        is_ready=lambda: _readiness(watch),
        metrics=lambda: generate_latest(registry),
    )
    async with alongside(HealthServer(health, listener).run()):
        await asyncio.to_thread(watch.run)


def _readiness(watch: Watch) -> tuple[bool, dict[str, object]]:
    """Ready once all letters have been read; what it waits for is said, and does not change that."""
    is_begun = watch.standing is not None
    return is_begun, {"begun": is_begun, "waiting": watch.waiting}
