"""Loaders as processes of their own on a real Kafka, what they are given, and what is in their file afterwards."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from streams.kafka import topic_plan
from streams.kafka.clients import librdkafka_config
from streams.settings import Settings
from streams.warehouse.duckdb_warehouse import DuckDbReader
from streams.warehouse.port import Found
from tests.integration.worker_process import WorkerProcess
from tests.warehouse_world import result_value, webhook_body

LOAD_S: Final = 40.0
ROWS_MAX: Final = 1_000_000


def loader(settings: Settings, folder: Path, *options: str, name: str = "loader") -> WorkerProcess:
    """Start a loader on `folder/warehouse.duckdb`."""
    own = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "APP_ID": settings.app_id,
        "TOPIC_PREFIX": settings.topic_prefix,
        "WAREHOUSE": f"duckdb:{file_of(folder)}",
        "WAREHOUSE_PORT": "0",
        "LOG_FORMAT": "json",
    }
    return WorkerProcess(own, folder / f"{name}.log", command=("streams", "warehouse", *options))


def load_all(settings: Settings, folder: Path) -> None:
    """Load what is there, by a loader that ends by itself."""
    with loader(settings, folder, "--once", name="once") as process:
        process.wait_for(lambda: process.code is not None, LOAD_S)
        assert process.code == 0, process.last_words


def file_of(folder: Path) -> Path:
    """Where its warehouse is."""
    return folder / "warehouse.duckdb"


def rows(folder: Path, view: str = "webhooks") -> list[Found]:
    """What readers see."""
    return DuckDbReader(file_of(folder)).read(view, limit=ROWS_MAX)


def event_ids(folder: Path, view: str = "webhooks") -> list[str]:
    """Of all webhooks, in order; of the raw table with repeats."""
    return sorted(row["event_id"] for row in rows(folder, view))


class Publisher:
    """Writes to the topics as receiver and workers do: webhooks singly, results in transactions."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._plain = Producer(librdkafka_config(settings, **{"enable.idempotence": True, "linger.ms": 5}))
        self._transactional = Producer(
            librdkafka_config(settings, **{"transactional.id": f"{settings.app_id}-results"})
        )
        self._transactional.init_transactions(LOAD_S)
        self._next_result = 0

    def webhooks(self, event_ids: Iterable[str]) -> None:
        """One for each."""
        self.bodies([webhook_body(event_id) for event_id in event_ids])

    def bodies(self, bodies: Iterable[bytes | None], *, partition: int | None = None) -> None:
        """Whatever was received, spread over the partitions."""
        topic = self._settings.topic(topic_plan.WEBHOOKS)
        for number, body in enumerate(bodies):
            at = number % self._settings.topic_partitions if partition is None else partition
            self._plain.produce(topic, body, None, at)
        assert self._plain.flush(LOAD_S) == 0

    def results(self, count: int, *, aborted: bool = False) -> None:
        """So many in one transaction, which takes an offset of its own on each partition."""
        self._transactional.begin_transaction()
        for value in self._result_values(count):
            self._transactional.produce(
                self._settings.topic(topic_plan.RESULTS),
                value,
                b"u-1",
                self._next_result % self._settings.topic_partitions,
            )
        if aborted:
            self._transactional.flush(LOAD_S)
            self._transactional.abort_transaction(LOAD_S)
        else:
            self._transactional.commit_transaction(LOAD_S)

    def _result_values(self, count: int) -> Iterator[bytes]:
        for _ in range(count):
            self._next_result += 1
            yield result_value(self._next_result)
