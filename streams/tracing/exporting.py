"""How spans leave the worker: from a bounded queue, by a thread of their own, to OTLP over HTTP.

A collector that is slow or away costs spans, which are counted, and never a record's time.
"""

import threading
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

SPANS_MAX: Final = 2_048  # that wait, or are on their way
BATCH_SPANS: Final = 256
DELAY_MS: Final = 1_000.0
EXPORT_S: Final = 5  # one batch, its repeats included
FLUSH_S: Final = 2.0  # at the end, for what still waits
LINKS_MAX: Final = 128

Dropped = Callable[[int], object]


class BoundedExport(BatchSpanProcessor):
    """OpenTelemetry's own batches behind a bound that counts: what finds the queue full is `dropped`, the newest.

    So is a batch that the exporter gives up.
    """

    def __init__(self, exporter: SpanExporter, dropped: Dropped, *, spans_max: int = SPANS_MAX) -> None:
        self._lock = threading.Lock()
        self._waiting = 0
        self._spans_max = spans_max
        self._dropped = dropped
        super().__init__(
            _Told(exporter, self._exported),
            max_queue_size=spans_max,
            max_export_batch_size=min(BATCH_SPANS, spans_max),
            schedule_delay_millis=DELAY_MS,
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span along, if there is room; in any thread, at once."""
        with self._lock:
            has_room = self._waiting < self._spans_max
            self._waiting += has_room
        if has_room:
            super().on_end(span)
        else:
            self._dropped(1)

    def _exported(self, spans: int, *, is_accepted: bool) -> None:
        with self._lock:
            self._waiting -= spans
        if not is_accepted:
            self._dropped(spans)

    def end(self) -> None:
        """Export what waits, within `FLUSH_S`; the rest is dropped."""
        thread = threading.Thread(target=self.shutdown, name="last spans", daemon=True)
        thread.start()
        thread.join(FLUSH_S)
        with self._lock:
            self._dropped(self._waiting)
            self._waiting = 0


class _Told(SpanExporter):
    """Says of each batch whether it was taken."""

    def __init__(self, exporter: SpanExporter, tell: Callable[..., None]) -> None:
        self._exporter = exporter
        self._tell = tell

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            self._tell(len(spans), is_accepted=result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def otlp() -> SpanExporter:
    """Give the exporter; address, headers and certificates by the `OTEL_EXPORTER_OTLP_…` variables."""
    return OTLPSpanExporter(timeout=EXPORT_S)


def provider(service: str, instance: str, export: BoundedExport) -> TracerProvider:
    """Give the source of tracers; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` count before ours."""
    ours = {
        "service.name": service,
        "service.version": version("customerio-streams"),
        "service.instance.id": instance,
    }
    made = TracerProvider(
        sampler=ALWAYS_ON,  # who asks for a span has decided
        resource=Resource(ours).merge(OTELResourceDetector().detect()),
        span_limits=SpanLimits(max_links=LINKS_MAX),
        shutdown_on_exit=False,
    )
    made.add_span_processor(export)
    return made
