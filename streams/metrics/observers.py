"""Counts what a worker tells, and what applications do of it: of requests."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from schemas.answer import Answer, NoAnswer
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.outcome import Outcome, Reason
from streams.kafka.abort_causes import AbortCause
from streams.metrics import declared
from streams.metrics.bounded import cause_value, status_value
from streams.metrics.collectors import EndToEnd, Reading
from streams.metrics.metric import GaugeMetric
from streams.metrics.registry import counter, histogram, live, own_registry

_REQUEST_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TRANSACTION_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
_ITEMS = (1, 10, 50, 200, 1000, 5000)
_BYTES = (1e3, 1e4, 5e4, 1e5, 2.5e5, 5e5)


class RequestMetrics:
    """What is counted of requests, whoever sends them; implements what wire and breaker tell."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = counter(declared.REQUESTS, registry)
        self._retries = counter(declared.RETRIES, registry)
        self._held = counter(declared.HELD, registry)

    def request(self, api: str, response: Answer | NoAnswer, *, seconds: float, items: int, body_bytes: int) -> None:  # noqa: ARG002 - the port's signature
        """One request was answered, or failed on the way."""
        self._requests.labels(api, status_value(response)).inc()

    def retry(self, api: str, cause: str) -> None:
        """One request will be repeated."""
        self._retries.labels(api, cause_value(cause)).inc()

    def held(self, api: str, reason: str) -> None:
        """Requests to an API have been held."""
        self._held.labels(api, reason).inc()


class Metrics(RequestMetrics):
    """One worker's metrics in a registry of their own; implements what pipeline, sender, journal and guard tell."""

    def __init__(self) -> None:
        registry = self.registry = own_registry()
        super().__init__(registry)
        self._end_to_end = EndToEnd(declared.END_TO_END)
        registry.register(self._end_to_end)
        self._records = counter(declared.RECORDS, registry)
        self._letters = counter(declared.DEAD_LETTERS, registry)
        self._chunk_records = histogram(declared.CHUNK_RECORDS, _ITEMS, registry)
        self._request_s = histogram(declared.REQUEST_SECONDS, _REQUEST_S, registry)
        self._batch_items = histogram(declared.BATCH_ITEMS, _ITEMS, registry)
        self._batch_bytes = histogram(declared.BATCH_BYTES, _BYTES, registry)
        self._transaction_s = histogram(declared.TRANSACTION_SECONDS, _TRANSACTION_S, registry)
        self._transaction_chunks = counter(declared.TRANSACTION_CHUNKS, registry)
        self._transaction_aborts = counter(declared.TRANSACTION_ABORTS, registry)
        self._floods = counter(declared.FLOODS, registry)
        self._stuck_lanes = counter(declared.STUCK_LANES, registry)
        self.restore_s = Gauge(declared.RESTORE.name, declared.RESTORE.meaning, registry=registry)
        self.rebalances = counter(declared.REBALANCES, registry)
        self.spans_dropped = counter(declared.TRACE_SPANS_DROPPED, registry)

    def live(self, metric: GaugeMetric, read: Callable[[], Iterable[Reading]]) -> None:
        """Add a gauge whose readings, (label values, value), are taken when somebody looks."""
        live(metric, read, self.registry)

    def concluded(
        self,
        chunk: Chunk,
        counts: "Counter[tuple[Outcome, Reason | None]]",
        conclusions: Sequence[Conclusion],
        now_ms: int,
    ) -> None:
        """A chunk's conclusions are committed."""
        self._count_conclusions(chunk, counts, conclusions, now_ms)
        self._chunk_records.observe(len(chunk.records))

    def sent(self, chunk: Chunk, conclusion: Conclusion, now_ms: int) -> None:
        """The conclusion of one send is committed."""
        counts = Counter([(conclusion.outcome, conclusion.reason)])
        self._count_conclusions(chunk, counts, [conclusion], now_ms)

    def _count_conclusions(
        self,
        chunk: Chunk,
        counts: "Counter[tuple[Outcome, Reason | None]]",
        conclusions: Sequence[Conclusion],
        now_ms: int,
    ) -> None:
        for (outcome, reason), count in counts.items():
            self._records.labels(chunk.topic, outcome, reason or "").inc(count)
            if outcome == "dead":
                self._letters.labels(chunk.topic, reason or "").inc(count)
        self._end_to_end.observe(chunk.topic, [max(0, now_ms - c.record.timestamp) / 1000 for c in conclusions])

    def request(self, api: str, response: Answer | NoAnswer, *, seconds: float, items: int, body_bytes: int) -> None:
        """One request was answered, or failed on the way."""
        super().request(api, response, seconds=seconds, items=items, body_bytes=body_bytes)
        self._request_s.labels(api).observe(seconds)
        self._batch_items.observe(items)
        self._batch_bytes.observe(body_bytes)

    def flooded(self, topic: str, reason: str) -> None:
        """A partition is held for a flood of dead letters."""
        self._floods.labels(topic, reason).inc()

    def transaction(self, chunks: int, seconds: float) -> None:
        """One transaction was committed."""
        self._transaction_s.observe(seconds)
        self._transaction_chunks.inc(chunks)

    def aborted(self, cause: AbortCause) -> None:
        """One try to commit a transaction has failed; in any thread."""
        self._transaction_aborts.labels(cause).inc()

    def stuck(self, lanes: int) -> None:
        """So many lanes were found stuck at once."""
        self._stuck_lanes.inc(lanes)

    def page(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)
