"""Full load: one worker, started on a backlog that it works off as fast as it can."""

from itertools import islice
from typing import Final

from tests.bench.broker import Broker
from tests.bench.follow import Look, Span, follow
from tests.bench.load import user_changes
from tests.bench.report import Figure, Report, at_least, at_most, per_1000
from tests.bench.stage import Moment, Stage, staged

PARTITIONS: Final = 4
LATENCY_MS: Final = 20
RECORDS_PER_USER: Final = 4
PER_S: Final = "records/s by the clock"
PER_CPU_S: Final = "records per CPU second of the worker"


def measure(broker: Broker, records: int) -> Report:
    """Work off `records` user changes."""
    users = max(1, records // RECORDS_PER_USER)
    with staged(broker, partitions=PARTITIONS, latency_ms=LATENCY_MS) as stage:
        stage.publisher.publish(islice(user_changes(users=users), records))
        before = stage.now()
        stage.start_worker().wait_until_ready()
        ready = Look(concluded=0, moment=stage.now())
        late = follow(stage, total=records)
        figures = _figures(stage, before, Span(begin=ready, end=late.end), late)
    how = (
        f"{records:,} user changes of {users:,} users, a tenth repeats, on {PARTITIONS} partitions; API {LATENCY_MS} ms"
    )
    return Report(part="full load", how=how, figures=figures)


def _figures(stage: Stage, before: Moment, whole: Span, late: Span) -> tuple[Figure, ...]:
    (worker,) = stage.workers
    metrics, received = worker.metrics(), stage.api.received()
    start_s = whole.begin.moment.worker_s - before.worker_s
    late_per_s, late_per_cpu_s = (late.per_s, late.per_cpu_s) if late.records else (None, None)  # all seen at once
    return (
        Figure(name=PER_S, value=whole.per_s, goal=at_least(25_000)),
        Figure(name=PER_CPU_S, value=whole.per_cpu_s, goal=at_least(30_000)),
        Figure(name="  the same from the first conclusion on, by the clock", value=late_per_s),
        Figure(name="  the same from the first conclusion on, per CPU second", value=late_per_cpu_s),
        Figure(name="  the same, start included, per CPU second", value=whole.records / (whole.worker_cpu_s + start_s)),
        Figure(name="CPU s per 1,000 records, worker", value=per_1000(whole.worker_cpu_s, whole.records), digits=4),
        Figure(name="CPU s per 1,000 records, broker", value=per_1000(whole.broker_cpu_s, whole.records), digits=4),
        Figure(name="CPU s per 1,000 records, stub", value=per_1000(whole.stub_cpu_s, whole.records), digits=4),
        Figure(name="CPU s of the worker's start", value=start_s, digits=2),
        Figure(name="peak memory, MB", value=worker.peak_mb(), goal=at_most(300)),
        Figure(name="requests", value=received.requests),
        Figure(name="mean batch, operations", value=received.mean_batch),
        Figure(name="transactions", value=metrics["cio_transaction_seconds_count"]),
        Figure(name="mean chunk, records", value=whole.records / metrics["cio_chunk_records_count"]),
    )
