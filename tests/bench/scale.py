"""Scale: what a second and a fourth worker add while Customer.io is slow."""

from itertools import islice
from typing import Final

from tests.bench.broker import Broker
from tests.bench.errors import BenchError
from tests.bench.follow import Span, follow, look
from tests.bench.load import user_changes
from tests.bench.report import Figure, Report, per_1000
from tests.bench.stage import Stage, staged

PARTITIONS: Final = 12
LATENCY_MS: Final = 200
FLEETS: Final = (1, 2, 4)
RECORDS_SHARE: Final = 2  # of the full load's, one in so many: three runs take long enough
RECORDS_PER_USER: Final = 4


def measure(broker: Broker, records: int) -> Report:
    """Work off the same backlog with fleets of different size."""
    backlog = max(1, records // RECORDS_SHARE)
    spans = {workers: _span(broker, workers, backlog) for workers in FLEETS}
    figures = [figure for workers, span in spans.items() for figure in _figures(workers, span)]
    alone = spans[FLEETS[0]]
    for workers in FLEETS[1:]:
        gain = (spans[workers].per_s / alone.per_s - 1) * 100
        figures.append(Figure(name=f"{workers} workers instead of one add, %", value=gain))
    how = f"{backlog:,} user changes at once on {PARTITIONS} partitions; API {LATENCY_MS} ms"
    return Report(part="scale", how=how, figures=tuple(figures))


def _span(broker: Broker, workers: int, backlog: int) -> Span:
    drafts = list(islice(user_changes(users=max(1, backlog // RECORDS_PER_USER)), backlog))
    with staged(broker, partitions=PARTITIONS, latency_ms=LATENCY_MS) as stage:
        _start(stage, workers)
        begin = look(stage)
        stage.publisher.publish(drafts)  # made beforehand: this takes a small part of the time
        return Span(begin=begin, end=follow(stage, total=backlog).end)


def _start(stage: Stage, workers: int) -> None:
    """Start a fleet and return once every worker has its part of the partitions."""
    for _ in range(workers):
        stage.start_worker().wait_until_ready()
    for worker in stage.workers:  # the later ones have taken partitions from them
        worker.wait_until_ready()
    owned = [worker.metrics()["cio_owned_partitions"] for worker in stage.workers]
    if not all(owned):
        raise BenchError(f"a worker was left without partitions: {owned}")


def _figures(workers: int, span: Span) -> tuple[Figure, ...]:
    name = "1 worker" if workers == 1 else f"{workers} workers"
    return (
        Figure(name=f"{name}: records/s by the clock", value=span.per_s),
        Figure(name=f"{name}: CPU s per 1,000 records", value=per_1000(span.worker_cpu_s, span.records), digits=4),
    )
