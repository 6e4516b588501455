"""The rate of real workers on a real Kafka, by the moments at which their requests arrive."""

import asyncio
import contextlib
import itertools
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import confluent_kafka
import orjson

from streams.app import AGENTS
from streams.kafka.clients import librdkafka_config
from streams.kafka.topic_plan import DOMAIN_EVENTS
from streams.settings import Settings
from tests.bench.load import Draft, Publisher
from tests.bench.worker import Worker
from tests.conftest import SettingsFactory
from tests.integration.recording_api import Recording, recording_api, worker_environment
from tests.rate_windows import busiest_second, most_in_a_second

PARTITIONS: Final = 12
WAIT_S: Final = 40.0
POLL_S: Final = 0.2

RATE: Final = 20
BACKLOG: Final = 2400  # more than all phases can send
STEADY_S: Final = 7.0
STOPPED_S: Final = 3.0  # less than the session: it stays a member and keeps its share

TIGHT_RATE: Final = 2
RECORDS_PER_S: Final = 800
TRICKLE_S: Final = 10.0
LAG_S_MAX: Final = 5.0  # four requests may be waiting for the rate: what comes in meanwhile goes with the next ones


class _Fleet:
    """Workers that share a rate."""

    def __init__(self, settings: Settings, api: Recording, *, folder: Path, rate: float) -> None:
        self.workers: list[Worker] = []
        self._folder = folder
        self._environment = worker_environment(settings, api, TRACK_RATE_PER_S=rate, DRAIN_S=1)
        self._started = 0

    async def become(self, size: int) -> None:
        """Start or end workers, and return when each of them has its part."""
        await asyncio.to_thread(self.end, self.workers[size:])
        del self.workers[size:]
        while len(self.workers) < size:
            self._started += 1
            self.workers.append(Worker(number=self._started, folder=self._folder, environment=self._environment))
        for worker in self.workers:
            await asyncio.to_thread(worker.wait_until_ready)
        await _until(lambda: all(_owned(worker) == len(AGENTS) * PARTITIONS / size for worker in self.workers))

    @staticmethod
    def end(workers: Sequence[Worker]) -> None:
        """End these side by side."""
        for worker in workers:
            worker.ask_to_end()
        for worker in workers:
            worker.end()

    async def stop_one_for(self, seconds: float) -> None:
        """Freeze the last one where it is, and let it go on."""
        self.workers[-1].measured.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.workers[-1].measured.send_signal(signal.SIGCONT)


@contextlib.asynccontextmanager
async def _fleet(settings: Settings, api: Recording, *, folder: Path, rate: float) -> AsyncIterator[_Fleet]:
    fleet = _Fleet(settings, api, folder=folder, rate=rate)
    try:
        yield fleet
    finally:
        await asyncio.to_thread(fleet.end, fleet.workers)


def _owned(worker: Worker) -> float:
    with contextlib.suppress(OSError):
        return worker.metrics()["cio_owned_partitions"]
    return 0


async def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not await asyncio.to_thread(is_so):
        assert time.monotonic() < deadline, "it does not come to that"
        await asyncio.sleep(POLL_S)


def _publish_backlog(settings: Settings) -> None:
    """Anonymous events, because each of them is a request of its own."""
    producer = confluent_kafka.Producer(librdkafka_config(settings))
    for number in range(BACKLOG):
        event = {"name": "page_viewed", "anonymous_id": f"a-{number}"}
        key = event["anonymous_id"].encode()
        producer.produce(settings.topic(DOMAIN_EVENTS), orjson.dumps(event), key, number % PARTITIONS)
    assert producer.flush(WAIT_S) == 0


def _changes() -> Iterator[Draft]:
    """Everybody once, so that all of them are sent."""
    for number in itertools.count():
        user = {"id": f"u-{number}", "email": f"u-{number}@example.com", "plan": "pro"}
        yield Draft(user["id"].encode(), orjson.dumps({"type": "user.upserted", "user": user}))


async def test_no_second_is_above_the_rate_and_a_backlog_uses_it(
    settings_factory: SettingsFactory, tmp_path: Path
) -> None:
    """One worker, three of which one is stopped for a while, and one again: as their requests arrive."""
    settings = settings_factory(topic_partitions=PARTITIONS)
    used, busiest = [], []
    await asyncio.to_thread(_publish_backlog, settings)
    async with recording_api() as api:
        async with _fleet(settings, api, folder=tmp_path, rate=RATE) as fleet:
            for size in (1, 3, 1):
                await fleet.become(size)
                begin_s = time.monotonic()
                await asyncio.sleep(STEADY_S)
                steady = api.between(begin_s, begin_s + STEADY_S)
                used.append(len(steady) / STEADY_S / RATE)
                busiest.append(busiest_second(steady))
                if size == 3:
                    await fleet.stop_one_for(STOPPED_S)
                    await asyncio.sleep(2)
        overall = busiest_second(api.arrivals)

    assert min(used) >= 0.9
    assert max(busiest[0], busiest[2]) <= most_in_a_second(RATE, 1)
    assert max(busiest[1], overall) <= most_in_a_second(RATE, 3)


async def test_a_tight_rate_makes_batches_bigger_and_not_the_lag_longer(
    settings_factory: SettingsFactory, tmp_path: Path
) -> None:
    """Whatever comes in while requests wait for the rate goes with the next one, all of it together."""
    settings = settings_factory(topic_partitions=PARTITIONS)
    published, lags = 0, []
    async with recording_api() as api, _fleet(settings, api, folder=tmp_path, rate=TIGHT_RATE) as fleet:
        await fleet.become(1)
        publisher, changes = Publisher(settings), _changes()
        for _ in range(round(TRICKLE_S)):
            published += await asyncio.to_thread(
                publisher.trickle, changes, rate_per_s=RECORDS_PER_S, seconds=1, check=lambda: None
            )
            lags.append(published - api.items)
        await _until(lambda: api.items == published)

    assert max(lags) <= LAG_S_MAX * RECORDS_PER_S
    assert busiest_second(api.arrivals) <= most_in_a_second(TIGHT_RATE, 1)
