"""What publishers and workers leave on Kafka, written by hand, and the command that looks at it, in its own process."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas import dead_letter
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.settings import Settings

CALL_S: Final = 20.0

Source = tuple[str, int, int]  # short name of the topic, partition, offset
Record = dict[str, Any]  # the arguments of a producer's `produce`, its topic apart


@dataclass(slots=True)
class History:
    """One cluster's; topics by their short names."""

    settings: Settings
    _producer: Producer = field(init=False)

    def __post_init__(self) -> None:
        """Be able to write in transactions."""
        self._producer = Producer(
            librdkafka_config(self.settings, **{"transactional.id": f"{self.settings.app_id}-history"})
        )
        self._producer.init_transactions(CALL_S)

    def write(self, topic: str, records: Iterable[Record], *, aborted: bool = False) -> None:
        """Write in one transaction, which takes an offset of its own at its end."""
        self._producer.begin_transaction()
        for record in records:
            self._producer.produce(self.settings.topic(topic), **{"partition": 0, **record})
        if aborted:
            self._producer.flush(CALL_S)
            self._producer.abort_transaction(CALL_S)
        else:
            self._producer.commit_transaction(CALL_S)

    def publish(self, topic: str, count: int, **record: Any) -> None:  # noqa: ANN401 - as `produce` takes them
        """Write so many input records."""
        self.write(topic, [{"key": b"u-1", "value": b"{}", **record}] * count)

    def conclude(self, sources: Iterable[Source], **changes: Any) -> None:  # noqa: ANN401 - any JSON
        """Write a result for each, in one transaction."""
        self.write(
            "customerio-results",
            [{"partition": source[1], "value": self.result(source, **changes)} for source in sources],
        )

    def result(self, source: Source, **changes: Any) -> bytes:  # noqa: ANN401 - any JSON
        """A result as a worker writes it."""
        topic, partition, offset = source
        place = {"topic": self.settings.topic(topic), "partition": partition, "offset": offset, "timestamp_ms": 1}
        told = {"outcome": "delivered", "reason": None, "detail": None, "source": place, "user_id": "u-1"}
        more = {"operations": ["identify"], "status": 200, "attempts": 1, "processed_at": "2026-11-22T10:00:00.184Z"}
        return orjson.dumps(told | more | changes)

    def bury(self, source: Source, **record: Any) -> None:  # noqa: ANN401 - as `produce` takes them
        """Write a dead letter as a worker does."""
        topic, partition, offset = source
        texts = {
            dead_letter.TOPIC: self.settings.topic(topic),
            dead_letter.PARTITION: partition,
            dead_letter.OFFSET: offset,
            dead_letter.MESSAGE: "user.email: must be a string",
            dead_letter.REASON: "malformed",
            dead_letter.ATTEMPTS: 0,
            dead_letter.FAILED_AT: "2026-11-22T10:00:00.184Z",
            dead_letter.REPLAYS: 0,
        }
        headers = [(name, str(text).encode()) for name, text in texts.items()]
        self.write(
            "customerio-dlq", [{"partition": partition, "key": b"u-1", "value": b"{}", "headers": headers, **record}]
        )

    def commit(self, topic: str, next_offset: int, partition: int = 0) -> None:
        """Say as the group that it goes on there."""
        config = {"group.id": self.settings.app_id, "enable.auto.commit": False}
        consumer = Consumer(librdkafka_config(self.settings, **config))
        place = TopicPartition(self.settings.topic(topic), partition, next_offset)
        consumer.commit(offsets=[place], asynchronous=False)
        consumer.close()

    def delete_before(self, topic: str, offset: int, partition: int = 0) -> None:
        """Delete the beginning of a partition, as retention does."""
        place = TopicPartition(self.settings.topic(topic), partition, offset)
        admin = connected_admin(self.settings)  # it must live until the answer comes
        for future in admin.delete_records([place]).values():
            future.result(CALL_S)


def run(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    own = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "TOPIC_PREFIX": settings.topic_prefix,
        "APP_ID": settings.app_id,
    }
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def run_json(settings: Settings, *arguments: str) -> tuple[int, Any]:
    """Run a command that prints one JSON object; its exit code and the object."""
    done = run(settings, *arguments, "--json")
    return done.returncode, orjson.loads(done.stdout)


def sources(topic: str, offsets: Sequence[int], partition: int = 0) -> list[Source]:
    """The places of these records."""
    return [(topic, partition, offset) for offset in offsets]
