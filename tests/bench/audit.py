"""The audit: how fast `cio-streams audit` reads inputs and results, and how much memory it takes for them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any, Final

import orjson
from confluent_kafka import Producer

from streams.kafka.clients import librdkafka_config
from streams.kafka.topic_plan import RESULTS, USER_CHANGES
from streams.settings import Settings
from tests.bench.broker import Broker, own_topics
from tests.bench.errors import BenchError
from tests.bench.load import Draft, user_changes
from tests.bench.report import Figure, Report, at_least, at_most

PARTITIONS: Final = 12
PER_RECORD: Final = 5  # of the full load: a million for its 200,000
DRAFTS: Final = 1_000  # repeated: what they say is not looked at
CHUNK_RECORDS: Final = 2_000
CALL_S: Final = 60.0


def measure(broker: Broker, records: int) -> Report:
    """Audit that many records, each with its result, with the command in a process of its own."""
    count = records * PER_RECORD
    drafts = list(islice(user_changes(users=DRAFTS), DRAFTS))
    with own_topics(broker, partitions=PARTITIONS) as settings:
        _write_inputs(settings, drafts, count)
        _write_results(settings, drafts, count)
        data, cpu_s, peak_mb = _run(settings)
    if not data["ok"] or data["inputs"] != count or data["results"] != count:
        raise BenchError(f"the audit has found {data['inputs']} inputs, {data['results']} results of {count}: {data}")
    seconds: float = data["seconds"]
    figures = (
        Figure(name="records/s, each with its result", value=count / seconds, goal=at_least(100_000)),
        Figure(name="records per CPU second", value=count / cpu_s),
        Figure(name="seconds", value=seconds, digits=1),
        Figure(name="peak memory, MB", value=peak_mb, goal=at_most(300)),
    )
    return Report(
        part="audit", how=f"{count:,} user changes and their results on {PARTITIONS} partitions", figures=figures
    )


def _run(settings: Settings) -> tuple[dict[str, Any], float, float]:
    """What the audit says, the CPU seconds that it took, and the most memory that it had, in MB."""
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "TOPIC_PREFIX": settings.topic_prefix,
        "APP_ID": settings.app_id,
    }
    command = [sys.executable, "-m", "streams", "audit", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if not output:
        raise BenchError(f"the audit ended with {process.returncode} and said nothing")
    kib = used.ru_maxrss if sys.platform != "darwin" else used.ru_maxrss / 1024
    return orjson.loads(output), used.ru_utime + used.ru_stime, kib / 1024


def _places(count: int) -> Iterator[tuple[int, int]]:
    """Partition and offset of each record, chunk by chunk."""
    for first in range(0, count, CHUNK_RECORDS * PARTITIONS):
        for partition in range(PARTITIONS):
            begin = first + partition * CHUNK_RECORDS
            for number in range(begin, min(count, begin + CHUNK_RECORDS)):
                yield partition, first // PARTITIONS + number - begin


def _write_inputs(settings: Settings, drafts: list[Draft], count: int) -> None:
    options = {"compression.type": "lz4", "linger.ms": 20, "queue.buffering.max.messages": 1_000_000}
    producer = Producer(librdkafka_config(settings, **options))
    topic = settings.topic(USER_CHANGES)
    for number, ((partition, _), draft) in enumerate(zip(_places(count), cycle(drafts), strict=False)):
        producer.produce(topic, draft.value, draft.key, partition)
        if number % CHUNK_RECORDS == 0:
            producer.poll(0)
    producer.flush()


def _write_results(settings: Settings, drafts: list[Draft], count: int) -> None:
    """As a worker does, a few chunks in one transaction."""
    options = {
        "compression.type": "lz4",
        "linger.ms": 2,
        "queue.buffering.max.messages": 1_000_000,
        "transactional.id": settings.app_id,
    }
    producer = Producer(librdkafka_config(settings, **options))
    producer.init_transactions(CALL_S)
    producer.begin_transaction()
    topic, source = settings.topic(RESULTS), settings.topic(USER_CHANGES)
    for number, ((partition, offset), draft) in enumerate(zip(_places(count), cycle(drafts), strict=False)):
        producer.produce(topic, _result(source, partition, offset), draft.key, partition)
        if number % (CHUNK_RECORDS * 4) == 0:
            producer.commit_transaction(CALL_S)
            producer.begin_transaction()
    producer.commit_transaction(CALL_S)


def _result(topic: str, partition: int, offset: int) -> bytes:
    return orjson.dumps(
        {
            "outcome": "delivered",
            "reason": None,
            "detail": None,
            "source": {"topic": topic, "partition": partition, "offset": offset, "timestamp_ms": 1795341600000},
            "user_id": "user-12345",
            "operations": ["identify"],
            "fingerprint": f"{offset:032x}",
            "event_id": None,
            "delivery_id": None,
            "status": 200,
            "attempts": 1,
            "latency_ms": 184,
            "processed_at": "2026-11-22T10:00:00.184Z",
        }
    )
