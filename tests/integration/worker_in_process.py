"""A worker's app in the test's own process, beside a second member of its group; records that need no Customer.io."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Self

import confluent_kafka
import orjson

from streams import app
from streams.kafka import clients as kafka_clients
from streams.settings import Settings
from tests.faults import evidence

WAIT_S: Final = 20.0
POLL_S: Final = 0.02


@asynccontextmanager
async def running_app(settings: Settings) -> AsyncIterator[app.DeliveryApp]:
    """Run a worker's app."""
    running = app.DeliveryApp(settings)
    running.finalize()
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


class SecondMember:
    """Reads nothing; members get their partitions in the order of their client ids.

    All calls of librdkafka's consumer are made in one thread: a second one that asks it waits for minutes.
    """

    def __init__(self, settings: Settings, *, client_id: str) -> None:
        config = {
            "client.id": client_id,
            "group.id": settings.app_id,
            "partition.assignment.strategy": "range",
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 200,
        }
        self._consumer = confluent_kafka.Consumer(kafka_clients.librdkafka_config(settings) | config)
        self._consumer.subscribe([settings.topic(name) for name in app.AGENTS])
        self._to_commit: confluent_kafka.TopicPartition | None = None
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.owns_some = False

    def __enter__(self) -> Self:
        """Join."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave."""
        self._ends.set()
        self._thread.join()

    async def commit(self, place: confluent_kafka.TopicPartition) -> None:
        """Say that all before it is concluded."""
        self._to_commit = place
        await until(lambda: self._to_commit is None)

    def _run(self) -> None:
        while not self._ends.is_set():
            self._consumer.poll(POLL_S)
            partitions = self._consumer.assignment()
            self.owns_some = bool(partitions)
            self._consumer.pause(partitions)
            if self._to_commit is not None:
                self._consumer.commit(offsets=[self._to_commit], asynchronous=False)
                self._to_commit = None
        self._consumer.close()


def publish_malformed(settings: Settings, count: int) -> None:
    """Put so many user changes on each partition that are concluded without being sent."""
    producer = confluent_kafka.Producer(kafka_clients.librdkafka_config(settings))
    for partition in range(settings.topic_partitions):
        for _ in range(count):
            producer.produce(settings.topic("user-changes"), b"{", b"u-1", partition)
    assert producer.flush(WAIT_S) == 0


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        await asyncio.sleep(POLL_S)


def concluded(settings: Settings) -> Counter[tuple[int, int]]:
    """How many results each record has, by partition and offset."""
    config, topic = kafka_clients.librdkafka_config(settings), settings.topic("customerio-results")
    sources = [
        orjson.loads(output.value or b"{}")["source"]
        for output in evidence.read_committed(config, topic, settings.topic_partitions)
    ]
    return Counter((source["partition"], source["offset"]) for source in sources)
