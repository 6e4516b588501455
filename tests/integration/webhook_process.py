"""The receiver as a process on a real Kafka, what its topics hold, and webhooks that come without pause."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, Message, TopicPartition

from streams.kafka.clients import librdkafka_config
from streams.settings import Settings
from tests.integration.worker_process import WorkerProcess
from tests.webhook_client import KEY, Connection, make_body, make_request

READY: Final = "ready for webhooks"
READ_S: Final = 20.0


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """What makes a receiver work for these settings."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "APP_ID": settings.app_id,
        "TOPIC_PREFIX": settings.topic_prefix,
        "WEBHOOK_PORT": "0",
        "LOG_FORMAT": "json",
        **({} if "CUSTOMERIO_WEBHOOK_SIGNING_KEY_FILE" in more else {"CUSTOMERIO_WEBHOOK_SIGNING_KEY": KEY}),
        **more,
    }


class ReceiverProcess(WorkerProcess):
    """`cio-streams webhooks`, started with this environment."""

    def __init__(self, settings: Settings, log: Path, **more: str) -> None:
        super().__init__(environment(settings, **more), log, command=("streams", "webhooks"))

    @property
    def port(self) -> int:
        """Where it listens, once it does."""
        self.wait_until_it_says("receiving webhooks")
        (url,) = [line["url"] for line in self.lines() if line["event"] == "receiving webhooks"]
        return int(url.split(":")[2].split("/")[0])

    def kill(self) -> None:
        """As `kill -9` does."""
        self._process.kill()
        self._process.wait()


class Traffic:
    """Webhooks without pause by several connections; remembers which were answered 2xx, and all answers."""

    def __init__(self, port: int, *, connections: int = 8) -> None:
        self._port = port
        self._connections = connections
        self.taken: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.is_over = False

    async def send(self) -> None:
        """Until it is over, or nobody listens any more."""
        await asyncio.gather(*(self._send(number) for number in range(self._connections)))

    async def _send(self, connection: int) -> None:
        number = 0
        with suppress(OSError):
            async with await Connection.open(self._port) as line:
                while not self.is_over:
                    number += 1
                    event_id = f"event-{connection}-{number}"
                    data = {"identifiers": {"id": f"u-{number % 50}"}}
                    status = await line.ask(make_request(make_body(event_id=event_id, metric="bounced", data=data)))
                    self.statuses[status] += 1
                    if status == 200:
                        self.taken.add(event_id)
                    if status == 0:
                        return


def stored(settings: Settings, topic: str) -> Sequence[Message]:
    """Everything that a topic (short name) holds now, for whoever reads committed."""
    options: dict[str, Any] = {"enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer(librdkafka_config(settings, **{"group.id": "nobody", **options}))
    left = settings.topic_partitions
    consumer.assign([TopicPartition(settings.topic(topic), number, 0) for number in range(left)])
    records: list[Message] = []
    while left:
        found = consumer.poll(READ_S)
        assert found is not None, "the end does not come"
        if found.error() is None:
            records.append(found)
        else:
            left -= 1  # a partition's end
    consumer.close()
    return records


def headers_of(record: Message) -> dict[str, object]:
    """As a mapping."""
    return dict(record.headers() or [])
