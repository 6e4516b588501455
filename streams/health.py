"""The HTTP side of a process: liveness, readiness, metrics. Reads state, changes none."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Iterator

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.errors import UnavailableError

State = Callable[[], tuple[bool, dict[str, object]]]

log = structlog.get_logger()


def bind(host: str, port: int, *, host_setting: str = "HTTP_HOST", port_setting: str = "HTTP_PORT") -> socket.socket:
    """Take the port before anything else is started; port 0 takes a free one.

    Raises:
        UnavailableError: it is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        raise UnavailableError(
            f"{host_setting} {host}, {port_setting} {port} cannot be had ({exc.strerror}): "
            "set others; port 0 takes a free one"
        ) from exc
    return listener


def create_health_app(*, is_live: State, is_ready: State, metrics: Callable[[], bytes]) -> Starlette:
    """`/livez`, `/readyz` and `/metrics`; a failed probe is 503, its reasons in the body."""

    def probe(state: State) -> Callable[[Request], Awaitable[Response]]:
        async def answer(_: Request) -> Response:
            is_good, body = state()
            return JSONResponse(body, status_code=200 if is_good else 503)

        return answer

    async def answer_metrics(_: Request) -> Response:
        return Response(metrics(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/livez", probe(is_live)),
            Route("/readyz", probe(is_ready)),
            Route("/metrics", answer_metrics),
        ]
    )


class SignallessServer(uvicorn.Server):
    """Takes no signals: they are the process's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


class HealthServer(SignallessServer):
    """Serves on a socket that is bound already."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none"))
        self._listener = listener

    async def run(self) -> None:  # type: ignore[override]  # ours is awaited, uvicorn's blocks
        """Serve until cancelled."""
        host, port = self._listener.getsockname()[:2]
        log.info("health and metrics", url=f"http://{host}:{port}")
        try:
            await self.serve(sockets=[self._listener])
        except asyncio.CancelledError:
            self.should_exit = self.force_exit = True
            self._listener.close()
            raise


def liveness(turned_s: float, stuck_s: float) -> tuple[bool, dict[str, object]]:
    """Of a loop that went on last at `turned_s` by the monotonic clock: alive unless that was `stuck_s` ago."""
    idle_s = time.monotonic() - turned_s
    return idle_s < stuck_s, {"idle_s": round(idle_s, 1)}
