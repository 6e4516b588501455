"""The Kafka of the benchmark, real in every case, and topics of its own on it that go when they are not needed."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import psutil
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from streams.kafka import topics
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.local_kafka.broker import running_kafka
from streams.settings import Settings, load_settings
from tests.bench.errors import BenchError

ASK_S: Final = 30.0
READ_RECORDS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """`settings` reach it; `process` is measured, None where it is not one of ours on this machine."""

    settings: Settings
    process: psutil.Process | None


@contextlib.contextmanager
def running_broker(progress: Callable[[str], None]) -> Iterator[Broker]:
    """Give the Kafka of `KAFKA_BOOTSTRAP_SERVERS`, else a local one for as long as this lasts."""
    settings = load_settings()
    with running_kafka(settings, port=0, progress=progress) as bootstrap:
        reached = settings.with_changes(kafka_bootstrap_servers=bootstrap)
        yield Broker(settings=reached, process=_listener(bootstrap))


def _listener(bootstrap: str) -> psutil.Process | None:
    """The Java process that listens there; in Docker or on another machine there is none to be seen."""
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    if host not in {"127.0.0.1", "localhost"}:
        return None
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            # The address of a listening socket is (host, port); psutil's types know sockets that have none.
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (int(port),) and connection.pid:
                process = psutil.Process(connection.pid)
                return process if "java" in process.name() else None
    return None


@contextlib.contextmanager
def own_topics(broker: Broker, *, partitions: int) -> Iterator[Settings]:
    """Give settings with topics that nobody else has, and delete these afterwards, the consumer group too."""
    prefix = f"bench{uuid.uuid4().hex[:8]}."
    settings = broker.settings.with_changes(topic_prefix=prefix, app_id=f"{prefix}app", topic_partitions=partitions)
    admin = connected_admin(settings)
    try:
        topics.create(admin, settings)
        yield settings
    finally:
        ours = [name for name in admin.list_topics(timeout=ASK_S).topics if name.startswith(prefix)]
        gone = [*(admin.delete_topics(ours) if ours else {}).values()]
        gone += admin.delete_consumer_groups([settings.app_id]).values()
        for future in gone:
            with contextlib.suppress(KafkaException):  # a group that never came to be, or whose member died just now
                future.result()


def read_committed(settings: Settings, topic: str) -> Iterator[Message]:
    """Give every record that a topic (short name) holds now, for whoever reads committed."""
    options: dict[str, Any] = {
        "group.id": f"{settings.app_id}-reader",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
    }
    consumer = Consumer(librdkafka_config(settings, **options))
    left = settings.topic_partitions
    try:
        consumer.assign([TopicPartition(settings.topic(topic), partition, 0) for partition in range(left)])
        while left:
            messages = consumer.consume(READ_RECORDS, timeout=ASK_S)
            if not messages:
                raise BenchError(f"{topic} could not be read to its end")
            left -= sum(message.error() is not None for message in messages)  # an error is a partition's end
            yield from (message for message in messages if message.error() is None)
    finally:
        consumer.close()
