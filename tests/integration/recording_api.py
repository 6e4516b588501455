"""A Track API in the test's own process: takes everything at once and notes when it came. No test here."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from streams.settings import Settings
from tests.bench import stub


@dataclass(slots=True)
class Recording(stub.Counts):
    """What has come in so far, and when, by the monotonic clock."""

    url: str = ""
    arrivals: list[float] = field(default_factory=list)

    def between(self, begin_s: float, end_s: float) -> list[float]:
        """The moments of the requests that came then."""
        return [each for each in self.arrivals if begin_s <= each < end_s]


class _Connection(stub.Connection):
    def __init__(self, recording: Recording) -> None:
        super().__init__(recording, latency_s=0.0)
        self._recording = recording

    def _tell(self) -> None:
        self._recording.arrivals.append(time.monotonic())
        super()._tell()

    def _take(self, body: bytes, answer: bytes) -> None:
        self._recording.arrivals.append(time.monotonic())
        super()._take(body, answer)


@asynccontextmanager
async def recording_api() -> AsyncIterator[Recording]:
    """Serve on a free port; whoever blocks the test's event loop spoils the record."""
    recording = Recording()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(recording), "127.0.0.1", 0)
    recording.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield recording


def worker_environment(settings: Settings, api: Recording, **more: object) -> Mapping[str, str]:
    """What a worker's process needs to find Kafka, its topics, and the API."""
    own = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "TOPIC_PREFIX": settings.topic_prefix,
        "APP_ID": settings.app_id,
        "CUSTOMERIO_SITE_ID": "test",
        "CUSTOMERIO_TRACK_API_KEY": "test",
        "CUSTOMERIO_TRACK_URL": api.url,
        "HTTP_PORT": 0,
        "LOG_FORMAT": "json",
    }
    return {**os.environ, **{name: str(value) for name, value in (own | more).items()}}
