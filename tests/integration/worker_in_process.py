"""A worker's app in the test's own process, beside a second member of its group; records that need no Customer.io."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

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


@contextmanager
def second_member(settings: Settings, *, client_id: str = "z") -> Iterator[confluent_kafka.Consumer]:
    """Be in the group, and read nothing; members get their partitions in the order of their client ids."""
    config = {"client.id": client_id, "group.id": settings.app_id, "partition.assignment.strategy": "range"}
    consumer = confluent_kafka.Consumer(kafka_clients.librdkafka_config(settings) | config)
    consumer.subscribe([settings.topic(name) for name in app.AGENTS])
    ends = threading.Event()

    def take_part() -> None:
        while not ends.is_set():
            consumer.pause(consumer.assignment())
            consumer.poll(POLL_S)

    thread = threading.Thread(target=take_part)
    thread.start()
    try:
        yield consumer
    finally:
        ends.set()
        thread.join()
        consumer.close()


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
