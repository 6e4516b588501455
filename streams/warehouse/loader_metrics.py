"""What the loader counts, in a registry of its own."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client import Counter as Count
from prometheus_client.process_collector import ProcessCollector

from streams.metric_collectors import EndToEnd
from streams.metrics import (
    WAREHOUSE_BATCH_SECONDS,
    WAREHOUSE_DELAY,
    WAREHOUSE_FAILURES,
    WAREHOUSE_FAULTS,
    WAREHOUSE_MISSED,
    WAREHOUSE_ROWS,
    Declared,
)
from streams.warehouse.port import Batch

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class LoaderMetrics:
    """One loader's."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="cio", registry=self.registry)
        self._delay = EndToEnd(WAREHOUSE_DELAY.name, WAREHOUSE_DELAY.meaning, WAREHOUSE_DELAY.labels)
        self.registry.register(self._delay)
        self._rows = self._count(WAREHOUSE_ROWS)
        self._faults = self._count(WAREHOUSE_FAULTS)
        self._seconds = Histogram(
            WAREHOUSE_BATCH_SECONDS.name, WAREHOUSE_BATCH_SECONDS.meaning, buckets=_SECONDS, registry=self.registry
        )
        self._failures = self._count(WAREHOUSE_FAILURES)
        self._missed = self._count(WAREHOUSE_MISSED)

    def loaded(self, batches: Sequence[Batch], *, now_s: float) -> None:
        """These are in the warehouse."""
        for batch in batches:
            name, names = batch.table.view, batch.table.names
            fault, received = names.index("fault"), names.index("received_at")
            self._rows.labels(name).inc(len(batch.rows))
            self._faults.labels(name).inc(sum(row[fault] is not None for row in batch.rows))
            times = [row[received] for row in batch.rows]
            self._delay.observe(name, [max(0.0, now_s - at / 1e6) for at in times if isinstance(at, int)])

    def tried(self, seconds: float, *, is_loaded: bool) -> None:
        """A batch was given to the warehouse, which took so long."""
        self._seconds.observe(seconds)
        if not is_loaded:
            self._failures.inc()

    def missed(self, offsets: int) -> None:
        """Kafka no longer has these."""
        self._missed.inc(offsets)

    def page(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)

    def _count(self, metric: Declared) -> Count:
        return Count(metric.name, metric.meaning, metric.labels, registry=self.registry)
