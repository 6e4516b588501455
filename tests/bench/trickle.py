"""A trickle: few records a second over many partitions, where delay and the cost of small chunks show."""

import statistics
import time
from collections.abc import Mapping
from typing import Final

import orjson

from streams.kafka.topic_plan import RESULTS
from streams.settings import Settings
from tests.bench.broker import Broker, read_committed
from tests.bench.follow import Look, Span, look
from tests.bench.load import user_changes
from tests.bench.report import Figure, Report, at_most, per_1000
from tests.bench.stage import staged

PARTITIONS: Final = 12
LATENCY_MS: Final = 20
RATE_PER_S: Final = 2000
USERS: Final = 50_000
WARM_UP_S: Final = 5.0
SECONDS: Final = 20.0
TAIL_S: Final = 1.5  # what was published last is concluded by then


def measure(broker: Broker, _records: int) -> Report:
    """Trickle for a while; its length does not depend on how many records the other parts take."""
    with staged(broker, partitions=PARTITIONS, latency_ms=LATENCY_MS) as stage:
        worker = stage.start_worker()
        worker.wait_until_ready()
        drafts = user_changes(users=USERS)

        def trickle(seconds: float) -> Look:
            stage.publisher.trickle(drafts, rate_per_s=RATE_PER_S, seconds=seconds, check=worker.insist_on_life)
            return look(stage)

        begin, before, from_ms = trickle(WARM_UP_S), worker.metrics(), _now_ms()
        end, after, to_ms = trickle(SECONDS), worker.metrics(), _now_ms()
        time.sleep(TAIL_S)
        delays_ms = _delays_ms(stage.settings, from_ms, to_ms)
        figures = _figures(Span(begin=begin, end=end), _difference(before, after), delays_ms, worker.peak_mb())
    how = f"{RATE_PER_S:,} user changes/s on {PARTITIONS} partitions for {SECONDS:.0f} s; API {LATENCY_MS} ms"
    return Report(part="trickle", how=how, figures=figures)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


def _delays_ms(settings: Settings, from_ms: int, to_ms: int) -> list[int]:
    """From each record's Kafka timestamp to its result's, for those published in that time."""
    delays = []
    for message in read_committed(settings, RESULTS):
        published_ms = orjson.loads(message.value() or b"")["source"]["timestamp_ms"]
        if from_ms <= published_ms < to_ms:
            delays.append(message.timestamp()[1] - published_ms)
    return delays


def _figures(span: Span, counts: Mapping[str, float], delays_ms: list[int], peak_mb: float) -> tuple[Figure, ...]:
    percentiles = statistics.quantiles(delays_ms, n=100)
    requests, transactions = counts["cio_requests_total"], counts["cio_transaction_seconds_count"]
    transaction_ms = counts["cio_transaction_seconds_sum"] / transactions * 1000
    worker_cores = span.worker_cpu_s / span.seconds
    return (
        Figure(name="records/s concluded", value=span.per_s),
        Figure(
            name="CPU s per 1,000 records, worker",
            value=per_1000(span.worker_cpu_s, span.records),
            digits=4,
            goal=at_most(0.05),
        ),
        Figure(name="CPU s per 1,000 records, broker", value=per_1000(span.broker_cpu_s, span.records), digits=4),
        Figure(name="cores, worker", value=worker_cores, digits=2),
        Figure(name="record to result p50, ms", value=percentiles[49]),
        Figure(name="record to result p99, ms", value=percentiles[98], goal=at_most(250)),
        Figure(name="record to result, the slowest, ms", value=max(delays_ms)),
        Figure(name="a transaction until it can be read, ms", value=transaction_ms, digits=1),
        Figure(name="records per chunk", value=span.records / counts["cio_chunk_records_count"], digits=1),
        Figure(name="requests/s", value=requests / span.seconds, digits=1),
        Figure(name="operations per request", value=counts["cio_batch_items_sum"] / requests, digits=1),
        Figure(name="transactions/s", value=transactions / span.seconds, digits=1),
        Figure(name="peak memory, MB", value=peak_mb),
    )
