"""The loader's process: its HTTP side, signals, and an end in bounded time."""

import asyncio
import socket
import threading
from typing import Final

import structlog

from streams.background import alongside
from streams.health import HealthServer, bind, create_health_app, liveness
from streams.metrics.registry import tell_standing
from streams.process_end import end_at_last, on_signal
from streams.settings import Settings
from streams.warehouse.engines import open_warehouse, takes_one_loader
from streams.warehouse.gathering import kinds
from streams.warehouse.loader import Loader
from streams.warehouse.loader_metrics import LoaderMetrics
from streams.warehouse.source import Source, require_topics

STOP_S: Final = 15.0
"""The batch under way may take so long when we are told to stop; what is cut off is loaded by the next one."""

log = structlog.get_logger()


def run_loader(settings: Settings, *, once: bool = False) -> None:
    """Load until SIGTERM or SIGINT, or until all is loaded that was there.

    Raises:
        StreamsError: it cannot begin, or the warehouse can no longer be used.
    """
    with bind(settings.http_host, settings.warehouse_port, port_setting="WAREHOUSE_PORT") as listener:
        listener.listen()
        log.info("settings", **settings.masked())
        asyncio.run(_run(settings, listener, once=once))


async def _run(settings: Settings, listener: socket.socket, *, once: bool) -> None:
    asked = threading.Event()

    def stop() -> None:
        end_at_last(STOP_S, 0)
        asked.set()

    on_signal(stop)
    metrics = LoaderMetrics()
    loaded = kinds(settings)
    loader = Loader(loaded, open_warehouse(settings), metrics, stop=asked, once=once)
    tell_standing(metrics.registry, settings, lambda: loader.is_begun)
    health = create_health_app(
        is_live=lambda: liveness(loader.turned_s, settings.stuck_s),
        is_ready=lambda: _readiness(loader),
        metrics=metrics.page,
    )
    async with alongside(HealthServer(health, listener).run()):
        await asyncio.to_thread(require_topics, settings, list(loaded))
        alone = takes_one_loader(settings)
        await asyncio.to_thread(loader.run, lambda: _LastSource(settings, list(loaded), alone=alone))


class _LastSource(Source):
    """With it the process ends, told to or not: a consumer's close may hang, and keep Python's lock meanwhile."""

    def close(self) -> None:
        """Leave the group, in bounded time."""
        end_at_last(STOP_S, 1)
        super().close()


def _readiness(loader: Loader) -> tuple[bool, dict[str, object]]:
    """Ready once it is known where to go on; what it waits for is said, and does not change that."""
    return loader.is_begun, {"begun": loader.is_begun, "waiting": loader.waiting}
