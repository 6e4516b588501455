"""What tracing is to a worker: it wraps its parts. Off, it is none of them, and nothing of OpenTelemetry is loaded."""

from collections.abc import Callable
from typing import Final, Protocol

from agents.ports import Observer
from streams.customerio.http_client import Traced
from streams.delivery.journal import Writer
from streams.delivery.lanes import Works
from streams.settings import Settings


class Tracing(Observer, Protocol):
    """Tells of chunks, requests and transactions."""

    @property
    def is_on(self) -> bool:
        """Whether results take over the traces of their records."""

    @property
    def request(self) -> Traced | None:
        """What makes requests, if not their client alone."""

    def works(self, works: Works) -> Works:
        """Tell of each chunk."""

    def writer(self, writer: Writer) -> Writer:
        """Tell of each transaction."""

    async def close(self) -> None:
        """Let out what has not been told yet; in bounded time."""


class Untraced:
    """It is off: nothing is wrapped."""

    is_on: Final = False
    request: Final = None

    def works(self, works: Works) -> Works:
        """Give what works."""
        return works

    def writer(self, writer: Writer) -> Writer:
        """Give who writes."""
        return writer

    def concluded(self, *_: object) -> None:
        """Tell nobody."""

    def sent(self, *_: object) -> None:
        """Tell nobody."""

    async def close(self) -> None:
        """Nothing waits."""


def start_tracing(settings: Settings, dropped: Callable[[int], None]) -> Tracing:
    """Start it, unless it is off; `dropped` is told how many spans nobody will see."""
    if not settings.trace_sample_ratio:
        return Untraced()
    from streams.tracing.tracing import OpenTelemetry  # noqa: PLC0415 - no cost when off

    return OpenTelemetry.of(settings, dropped)
