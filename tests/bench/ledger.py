"""The ledger: how long a worker takes to read back what was delivered, before it may start."""

from typing import Final

from confluent_kafka import Producer

from schemas.person_state import PersonState, pack
from streams.kafka.clients import librdkafka_config
from streams.kafka.topic_plan import LEDGER_PEOPLE
from streams.settings import Settings
from tests.bench.broker import Broker
from tests.bench.errors import BenchError
from tests.bench.report import Figure, Report, at_least, at_most
from tests.bench.stage import staged

PARTITIONS: Final = 12
ENTRIES_PER_RECORD: Final = 5  # of the full load: a million for its 200,000
POLL_ENTRIES: Final = 10_000


def measure(broker: Broker, records: int) -> Report:
    """Start a worker on that many people."""
    entries = records * ENTRIES_PER_RECORD
    with staged(broker, partitions=PARTITIONS, latency_ms=0) as stage:
        _write(stage.settings, entries)
        worker = stage.start_worker()
        ready_s = worker.wait_until_ready()
        metrics = worker.metrics()
        if metrics["cio_ledger_entries"] != entries:
            raise BenchError(f"{metrics['cio_ledger_entries']:.0f} of {entries} entries were read back")
        restore_s = metrics["cio_ledger_restore_seconds"]
        figures = (
            Figure(name="entries/s", value=entries / restore_s, goal=at_least(200_000)),
            Figure(name="seconds of reading", value=restore_s, digits=1),
            Figure(name="seconds from the start of the process to ready", value=ready_s, digits=1, goal=at_most(30)),
            Figure(name="CPU s of the worker until then", value=stage.now().worker_s, digits=1),
            Figure(name="peak memory, MB", value=worker.peak_mb()),
        )
    return Report(part="ledger", how=f"{entries:,} people on {PARTITIONS} partitions, read back", figures=figures)


def _write(settings: Settings, entries: int) -> None:
    """Write entries as a worker does, a person each, without its transactions."""
    options = {"compression.type": "lz4", "linger.ms": 20, "queue.buffering.max.messages": 1_000_000}
    producer = Producer(librdkafka_config(settings, **options))
    topic = settings.topic(LEDGER_PEOPLE)
    for number in range(entries):
        fingerprint = (number * 0x9E3779B97F4A7C15 % 2**128).to_bytes(16, "big")
        state = PersonState(fingerprint=fingerprint, version=number, occurred_ms=number, sent_s=number)
        producer.produce(topic, pack(state), f"user-{number}".encode(), number % settings.topic_partitions)
        if number % POLL_ENTRIES == 0:
            producer.poll(0)
    producer.flush()
