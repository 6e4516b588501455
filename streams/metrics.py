"""Every metric of a worker, with its meaning, and the observers that count; the only file that declares one."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client import Counter as Count
from prometheus_client.process_collector import ProcessCollector

from schemas.answer import Answer, NoAnswer
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.outcome import Outcome, Reason
from streams.metric_collectors import EndToEnd, Live, Reading

_REQUEST_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TRANSACTION_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
_ITEMS = (1, 10, 50, 200, 1000, 5000)
_BYTES = (1e3, 1e4, 5e4, 1e5, 2.5e5, 5e5)


@dataclass(frozen=True, slots=True)
class Declared:
    """A metric's name as scraped (a counter's gets `_total`), what it tells, and its labels."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()


LAG = Declared("cio_lag_records", "Records of a partition without a committed conclusion.", ("topic", "partition"))
OWNED = Declared("cio_owned_partitions", "Input partitions of this worker.")
READY = Declared("cio_ready", "1 when assignment and ledger are ready.")
RATE = Declared("cio_rate_per_second", "Requests to an API that this worker may send.", ("api",))
RATE_WAIT = Declared("cio_rate_wait_seconds", "Time that requests to an API have waited for the rate.", ("api",))
LEDGER_ENTRIES = Declared("cio_ledger_entries", "Entries in memory: people, events, sends.", ("kind",))
LEDGER_EVICTIONS = Declared("cio_ledger_evictions", "Fingerprints forgotten for want of room.")
SEND_EVICTIONS = Declared("cio_ledger_send_evictions", "Ids of sends forgotten for want of room: repeats go out again.")
RESTORE = Declared("cio_ledger_restore_seconds", "The last read-back of the ledger.")
REBALANCES = Declared("cio_rebalances", "Assignments taken over.")
RECORDS = Declared("cio_records", "Input records concluded.", ("topic", "outcome", "reason"))
DEAD_LETTERS = Declared("cio_dead_letters", "Dead letters written.", ("topic", "reason"))
CHUNK_RECORDS = Declared("cio_chunk_records", "Records of one chunk.")
END_TO_END = Declared(
    "cio_end_to_end_seconds", "From a record's Kafka timestamp to its committed conclusion.", ("topic",)
)
REQUESTS = Declared("cio_requests", "Requests to Customer.io; status is a number or why there is none.", ("status",))
REQUEST_SECONDS = Declared("cio_request_seconds", "One request to Customer.io.")
BATCH_ITEMS = Declared("cio_batch_items", "Operations in one request.")
BATCH_BYTES = Declared("cio_batch_bytes", "Bytes of one request's body.")
BREAKER = Declared(
    "cio_breaker", "1 for the state that requests to an API are in, and why.", ("api", "state", "reason")
)
HELD = Declared("cio_held", "How often requests to an API were held, by reason.", ("api", "reason"))
RETRIES = Declared("cio_retries", "Requests that are repeated, by cause.", ("cause",))
TRANSACTION_SECONDS = Declared("cio_transaction_seconds", "One Kafka transaction, its retries included.")
TRANSACTION_CHUNKS = Declared("cio_transaction_chunks", "Chunks committed.")
FLOOD_HELD = Declared(
    "cio_flood_held",
    "Partitions that are held for a flood of dead letters, by what most of these die of.",
    ("topic", "reason"),
)
FLOODS = Declared("cio_floods", "How often a partition was held for a flood of dead letters.", ("topic", "reason"))
STUCK_LANES = Declared("cio_stuck_lanes", "Lanes without progress that nothing held, for which the process ended.")
TRACE_SPANS_DROPPED = Declared(
    "cio_trace_spans_dropped", "Spans that were not exported: the collector is away, or too slow."
)
MESSAGING_SECONDS = Declared(
    "cio_messaging_seconds", "One operation of an application, with all that it waited for.", ("operation",)
)
MESSAGING_ERRORS = Declared(
    "cio_messaging_errors", "Operations of an application that failed, by class of error.", ("operation", "error")
)
WEBHOOK_REQUESTS = Declared("cio_webhook_requests", "Requests to the webhook receiver, by the answer.", ("status",))
WEBHOOK_SIGNATURES = Declared("cio_webhook_signature_failures", "Webhooks whose signature fits no signing key.")
WEBHOOK_STALE = Declared("cio_webhook_stale", "Webhooks that are signed, but at another time than now; stored.")
WEBHOOK_FAULTS = Declared("cio_webhook_faults", "Webhooks that are stored with a fault, by fault.", ("fault",))
WEBHOOK_REFUSED = Declared("cio_webhook_refused", "Webhooks that were answered 503, by cause.", ("cause",))
WEBHOOK_CUT = Declared(
    "cio_webhook_connections_cut", "Connections to the receiver that it ended, by cause.", ("cause",)
)
WEBHOOK_CONFIRM_SECONDS = Declared("cio_webhook_confirm_seconds", "From a webhook's arrival to Kafka's confirmation.")
WEBHOOK_IN_FLIGHT = Declared("cio_webhook_in_flight", "Webhooks under way, and the bytes of their bodies.", ("what",))
WEBHOOK_ROUTED = Declared("cio_webhook_routed", "Records written to further topics, by route.", ("route",))
WEBHOOK_UNROUTED = Declared(
    "cio_webhook_unrouted", "Webhooks that a route is for, but that name nothing to key it by.", ("route",)
)

WAREHOUSE_ROWS = Declared("cio_warehouse_rows", "Rows loaded into a table of the warehouse.", ("table",))
WAREHOUSE_FAULTS = Declared("cio_warehouse_faults", "Rows among them whose record could not be read.", ("table",))
WAREHOUSE_DELAY = Declared("cio_warehouse_delay_seconds", "From a record's Kafka timestamp to its row.", ("table",))
WAREHOUSE_BATCH_SECONDS = Declared("cio_warehouse_batch_seconds", "One batch being loaded, failed ones included.")
WAREHOUSE_FAILURES = Declared("cio_warehouse_failures", "Batches that the warehouse did not take; they are repeated.")
WAREHOUSE_MISSED = Declared("cio_warehouse_missed_records", "Offsets that Kafka deleted before they were loaded.")


def counter(metric: Declared, registry: CollectorRegistry) -> Count:
    """Give it in this registry."""
    return Count(metric.name, metric.meaning, metric.labels, registry=registry)


def histogram(metric: Declared, buckets: Sequence[float], registry: CollectorRegistry) -> Histogram:
    """Give it in this registry."""
    return Histogram(metric.name, metric.meaning, metric.labels, buckets=buckets, registry=registry)


class RequestMetrics:
    """What is counted of requests, whoever sends them; implements what wire and breaker tell."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = counter(REQUESTS, registry)
        self._retries = counter(RETRIES, registry)
        self._held = counter(HELD, registry)

    def request(self, response: Answer | NoAnswer, *, seconds: float, items: int, body_bytes: int) -> None:  # noqa: ARG002 - the port's signature
        """One request was answered, or failed on the way."""
        self._requests.labels(str(response.status) if isinstance(response, Answer) else response.cause).inc()

    def retry(self, cause: str) -> None:
        """One request will be repeated."""
        self._retries.labels(cause).inc()

    def held(self, api: str, reason: str) -> None:
        """Requests to an API have been held."""
        self._held.labels(api, reason).inc()


class Metrics(RequestMetrics):
    """One worker's metrics in a registry of their own; implements what pipeline, sender, journal and guard tell."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        super().__init__(registry)
        ProcessCollector(namespace="cio", registry=self.registry)  # every name of ours starts so
        self._end_to_end = EndToEnd(END_TO_END.name, END_TO_END.meaning, END_TO_END.labels)
        self.registry.register(self._end_to_end)
        self._records = counter(RECORDS, registry)
        self._letters = counter(DEAD_LETTERS, registry)
        self._chunk_records = histogram(CHUNK_RECORDS, _ITEMS, registry)
        self._request_s = histogram(REQUEST_SECONDS, _REQUEST_S, registry)
        self._batch_items = histogram(BATCH_ITEMS, _ITEMS, registry)
        self._batch_bytes = histogram(BATCH_BYTES, _BYTES, registry)
        self._transaction_s = histogram(TRANSACTION_SECONDS, _TRANSACTION_S, registry)
        self._transaction_chunks = counter(TRANSACTION_CHUNKS, registry)
        self._floods = counter(FLOODS, registry)
        self._stuck_lanes = counter(STUCK_LANES, registry)
        self.restore_s = Gauge(RESTORE.name, RESTORE.meaning, registry=self.registry)
        self.rebalances = counter(REBALANCES, registry)

    def live(self, metric: Declared, read: Callable[[], Iterable[Reading]]) -> None:
        """Add a gauge whose readings, (label values, value), are taken when somebody looks."""
        self.registry.register(Live(metric.name, metric.meaning, metric.labels, read))

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

    def request(self, response: Answer | NoAnswer, *, seconds: float, items: int, body_bytes: int) -> None:
        """One request was answered, or failed on the way."""
        super().request(response, seconds=seconds, items=items, body_bytes=body_bytes)
        self._request_s.observe(seconds)
        self._batch_items.observe(items)
        self._batch_bytes.observe(body_bytes)

    def flooded(self, topic: str, reason: str) -> None:
        """A partition is held for a flood of dead letters."""
        self._floods.labels(topic, reason).inc()

    def transaction(self, chunks: int, seconds: float) -> None:
        """One transaction was committed."""
        self._transaction_s.observe(seconds)
        self._transaction_chunks.inc(chunks)

    def stuck(self, lanes: int) -> None:
        """So many lanes were found stuck at once."""
        self._stuck_lanes.inc(lanes)

    def page(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)
