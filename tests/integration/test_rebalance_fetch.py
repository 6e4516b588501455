"""A fetch that a rebalance overtakes loses nothing: what it brings too late is fetched again, from the cursor.

The records are malformed, so that they are concluded without a Customer.io.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import confluent_kafka
import orjson
import pytest
from faust.types import TP

from streams import app, kafka_clients, transport
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.faults import evidence

WAIT_S: Final = 20.0
POLL_S: Final = 0.02
RECORDS: Final = 7  # on each partition


class _Gate:
    """Holds one call of the consumer's thread: at its beginning, or with what it has fetched already in its hands."""

    def __init__(self, *, holds_records: bool) -> None:
        self._holds_records = holds_records
        self._fetch_records = transport.ConsumerThread._fetch_records
        self.reached = threading.Event()  # of the consumer's thread
        self.opened = threading.Event()

    def hold(self) -> Callable[..., Any]:
        """The thread's method, with the gate in it."""

        async def fetch_records(thread: transport.ConsumerThread, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as there
            if not self._holds_records:
                await self._pass()
            found = await self._fetch_records(thread, *args, **kwargs)
            if found:
                await self._pass()
            return found

        return fetch_records

    async def _pass(self) -> None:
        self.reached.set()
        while not self.opened.is_set():  # noqa: ASYNC110 - another thread opens it
            await asyncio.sleep(POLL_S)


@asynccontextmanager
async def _running(settings: Settings) -> Any:  # noqa: ANN401 - an iterator of the app
    """Run a worker's app in this process."""
    running = app.DeliveryApp(settings)
    running.finalize()
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


@contextmanager
def _second_member(settings: Settings) -> Iterator[None]:
    """Be in the group, and read nothing."""
    consumer = confluent_kafka.Consumer(
        kafka_clients.librdkafka_config(settings)
        | {"group.id": settings.app_id, "partition.assignment.strategy": "range"}
    )
    consumer.subscribe([settings.topic(name) for name in app.AGENTS])
    ends = threading.Event()

    def take_part() -> None:
        while not ends.is_set():
            consumer.pause(consumer.assignment())
            consumer.poll(POLL_S)

    thread = threading.Thread(target=take_part)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()
        consumer.close()


@pytest.mark.parametrize("holds_records", [False, True])
async def test_a_fetch_that_a_rebalance_overtakes_loses_nothing(
    settings_factory: SettingsFactory, monkeypatch: pytest.MonkeyPatch, *, holds_records: bool
) -> None:
    """Every record of the partition that stayed has one result, whether the late fetch moved its position or not."""
    settings, gate = settings_factory(), _Gate(holds_records=holds_records)
    monkeypatch.setattr(transport.ConsumerThread, "_fetch_records", gate.hold())
    _publish(settings)
    async with _running(settings) as worker:
        await _until(gate.reached.is_set)
        with _second_member(settings):
            await _until(lambda: len(worker.delivery.assignment.owned) == 2 and worker.chunk_consumer.flow_active)
            gate.opened.set()
            (stayed,) = {tp.partition for tp in worker.delivery.assignment.owned}
            mine = TP(settings.topic("user-changes"), stayed)
            await _until(lambda: worker.delivery.lanes.position(mine.topic, mine.partition) == RECORDS)

            assert worker.chunk_consumer.rewinds == 1
            assert _concluded(settings) == Counter((stayed, offset) for offset in range(RECORDS))


def _publish(settings: Settings) -> None:
    producer = confluent_kafka.Producer(kafka_clients.librdkafka_config(settings))
    for partition in range(settings.topic_partitions):
        for _ in range(RECORDS):
            producer.produce(settings.topic("user-changes"), b"{", b"u-1", partition)
    assert producer.flush(WAIT_S) == 0


async def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        await asyncio.sleep(POLL_S)


def _concluded(settings: Settings) -> Counter[tuple[int, int]]:
    """How many results each record has."""
    config, topic = kafka_clients.librdkafka_config(settings), settings.topic("customerio-results")
    sources = [
        orjson.loads(output.value or b"{}")["source"]
        for output in evidence.read_committed(config, topic, settings.topic_partitions)
    ]
    return Counter((source["partition"], source["offset"]) for source in sources)
