"""Where one measurement takes place: own topics, an API stub, workers; all of it is ended with the stage."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from streams.settings import Settings
from tests.bench.api import Api
from tests.bench.broker import Broker, own_topics
from tests.bench.load import Publisher
from tests.bench.worker import Worker

UNLIMITED_PER_S: Final = 1000  # requests: more than any measurement makes, so the rate limits none


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time, and the CPU seconds that each process had used by then."""

    at_s: float
    worker_s: float
    broker_s: float | None
    stub_s: float


class Stage:
    """`close` what it hands out by leaving `staged`; `more` is added to what workers find in their environment."""

    def __init__(self, broker: Broker, settings: Settings, api: Api, *, folder: Path) -> None:
        self.settings = settings
        self.api = api
        self.folder = folder
        self.publisher = Publisher(settings)
        self.workers: list[Worker] = []
        self.more: Mapping[str, str] = {}
        self._broker = broker

    def start_worker(self) -> Worker:
        """Start one more."""
        worker = Worker(number=len(self.workers), folder=self.folder, environment=self.environment())
        self.workers.append(worker)
        return worker

    def environment(self) -> Mapping[str, str]:
        """What a process needs to find Kafka, topics and stub; security settings of Kafka are inherited."""
        return {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.settings.bootstrap,
            "TOPIC_PREFIX": self.settings.topic_prefix,
            "APP_ID": self.settings.app_id,
            "CUSTOMERIO_SITE_ID": "bench",
            "CUSTOMERIO_TRACK_API_KEY": "bench",
            "CUSTOMERIO_TRACK_URL": self.api.url,
            "TRACK_RATE_PER_S": str(UNLIMITED_PER_S),
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": "0",
            "LOG_FORMAT": "json",
            **self.more,
        }

    def now(self) -> Moment:
        """Look at the clock and at every process."""
        return Moment(
            at_s=time.monotonic(),
            worker_s=sum(cpu_s(worker.measured) for worker in self.workers),
            broker_s=cpu_s(self._broker.process) if self._broker.process else None,
            stub_s=cpu_s(self.api.measured),
        )

    def end_workers(self) -> None:
        """End all of them, side by side."""
        for worker in self.workers:
            worker.ask_to_end()
        for worker in self.workers:
            worker.end()


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds that a process has used, in user and in system mode."""
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def staged(broker: Broker, *, partitions: int, latency_ms: int) -> Iterator[Stage]:
    """Give a stage; topics, stub and workers end with it, whatever happens."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cio-bench-")))
        settings = stack.enter_context(own_topics(broker, partitions=partitions))
        api = stack.enter_context(Api(latency_ms=latency_ms, folder=folder))
        stage = Stage(broker, settings, api, folder=folder)
        stack.callback(stage.end_workers)
        yield stage
