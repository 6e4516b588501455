"""What the loader counts, in a registry of its own."""

from collections.abc import Sequence

from prometheus_client import generate_latest

from streams.metrics import declared
from streams.metrics.collectors import EndToEnd
from streams.metrics.registry import counter, histogram, own_registry
from streams.warehouse.port import Batch

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class LoaderMetrics:
    """One loader's."""

    def __init__(self) -> None:
        registry = self.registry = own_registry()
        self._delay = EndToEnd(declared.WAREHOUSE_DELAY)
        registry.register(self._delay)
        self._rows = counter(declared.WAREHOUSE_ROWS, registry)
        self._faults = counter(declared.WAREHOUSE_FAULTS, registry)
        self._seconds = histogram(declared.WAREHOUSE_BATCH_SECONDS, _SECONDS, registry)
        self._failures = counter(declared.WAREHOUSE_FAILURES, registry)
        self._missed = counter(declared.WAREHOUSE_MISSED, registry)

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
