"""Every metric of a worker, with its meaning; the only file that names one."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client import Counter as Count
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from schemas.answer import Answer, NoAnswer
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.outcome import Outcome, Reason

END_TO_END_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


class EndToEnd:
    """A histogram that takes a whole chunk at once: one observation per record would cost more than delivering it."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}
        self._sums: defaultdict[str, float] = defaultdict(float)

    def observe(self, topic: str, seconds: Iterable[float]) -> None:
        """Count the seconds from each record's Kafka timestamp to its conclusion."""
        counts = self._counts.setdefault(topic, [0] * (len(END_TO_END_S) + 1))
        for each in seconds:
            counts[bisect_left(END_TO_END_S, each)] += 1
            self._sums[topic] += each

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Called by the registry."""
        family = HistogramMetricFamily(
            "cio_end_to_end_seconds", "From a record's Kafka timestamp to its committed conclusion.", labels=["topic"]
        )
        bounds = [*(str(bound) for bound in END_TO_END_S), "+Inf"]
        for topic, counts in self._counts.items():
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            family.add_metric([topic], buckets=buckets, sum_value=self._sums[topic])
        yield family


class Live:
    """Gauges that are asked for when somebody looks: `read` gives (labels, value) pairs."""

    def __init__(
        self, name: str, meaning: str, labels: Sequence[str], read: Callable[[], Iterable[tuple[Sequence[str], float]]]
    ) -> None:
        self._name, self._meaning, self._labels, self._read = name, meaning, labels, read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Called by the registry."""
        family = GaugeMetricFamily(self._name, self._meaning, labels=self._labels)
        for labels, value in self._read():
            family.add_metric(labels, value)
        yield family


class Metrics:
    """One worker's metrics in a registry of their own; implements the observers of pipeline, sender and journal."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._end_to_end = EndToEnd()
        registry.register(self._end_to_end)
        self._records = Count(
            "cio_records", "Input records concluded.", ["topic", "outcome", "reason"], registry=registry
        )
        self._letters = Count("cio_dead_letters", "Dead letters written.", ["topic", "reason"], registry=registry)
        self._chunk_records = Histogram(
            "cio_chunk_records", "Records of one chunk.", buckets=(1, 10, 50, 200, 1000, 5000), registry=registry
        )
        self._requests = Count(
            "cio_requests",
            "Requests to Customer.io; status is a number or why there is none.",
            ["status"],
            registry=registry,
        )
        self._request_s = Histogram(
            "cio_request_seconds",
            "One request to Customer.io.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._batch_items = Histogram(
            "cio_batch_items", "Operations in one request.", buckets=(1, 10, 50, 200, 1000, 5000), registry=registry
        )
        self._batch_bytes = Histogram(
            "cio_batch_bytes",
            "Bytes of one request's body.",
            buckets=(1e3, 1e4, 5e4, 1e5, 2.5e5, 5e5),
            registry=registry,
        )
        self._retries = Count("cio_retries", "Requests that are repeated, by cause.", ["cause"], registry=registry)
        self._transaction_s = Histogram(
            "cio_transaction_seconds",
            "One Kafka transaction, its retries included.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
            registry=registry,
        )
        self._transaction_chunks = Count("cio_transaction_chunks", "Chunks committed.", registry=registry)
        self.restore_s = Gauge("cio_ledger_restore_seconds", "The last read-back of the ledger.", registry=registry)
        self.rebalances = Count("cio_rebalances", "Assignments taken over.", registry=registry)

    def live(
        self, name: str, meaning: str, labels: Sequence[str], read: Callable[[], Iterable[tuple[Sequence[str], float]]]
    ) -> None:
        """Add a gauge whose value is read when somebody looks."""
        self.registry.register(Live(name, meaning, labels, read))

    def concluded(
        self,
        chunk: Chunk,
        counts: "Counter[tuple[Outcome, Reason | None]]",
        conclusions: Sequence[Conclusion],
        now_ms: int,
    ) -> None:
        """A chunk's conclusions are committed."""
        for (outcome, reason), count in counts.items():
            self._records.labels(chunk.topic, outcome, reason or "").inc(count)
            if outcome == "dead":
                self._letters.labels(chunk.topic, reason or "").inc(count)
        self._chunk_records.observe(len(conclusions))
        self._end_to_end.observe(chunk.topic, [max(0, now_ms - c.record.timestamp) / 1000 for c in conclusions])

    def request(self, response: Answer | NoAnswer, *, seconds: float, items: int, body_bytes: int) -> None:
        """One request was answered, or failed on the way."""
        status = str(response.status) if isinstance(response, Answer) else response.cause
        self._requests.labels(status).inc()
        self._request_s.observe(seconds)
        self._batch_items.observe(items)
        self._batch_bytes.observe(body_bytes)

    def retry(self, cause: str) -> None:
        """One request will be repeated."""
        self._retries.labels(cause).inc()

    def transaction(self, chunks: int, seconds: float) -> None:
        """One transaction was committed."""
        self._transaction_s.observe(seconds)
        self._transaction_chunks.inc(chunks)

    def page(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)
