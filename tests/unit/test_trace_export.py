"""Spans leave by themselves, or not at all: nobody waits for a collector."""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer

from streams.tracing.exporting import BoundedExport, provider

WAIT_S = 10.0


class Collector(SpanExporter):
    """Takes what it is given once it `may_go` on; answers `result`."""

    def __init__(self, result: SpanExportResult = SpanExportResult.SUCCESS, *, may_go: bool = True) -> None:
        self.taken: list[str] = []
        self.may_go = threading.Event()
        self._result = result
        if may_go:
            self.may_go.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take a batch."""
        self.may_go.wait(WAIT_S)
        self.taken += [span.name for span in spans]
        return self._result

    def shutdown(self) -> None:
        """Nothing is open."""


class World:
    """An export of at most `spans_max`, and what was dropped."""

    def __init__(self, collector: Collector, *, spans_max: int = 4) -> None:
        self.dropped = 0
        self.export = BoundedExport(collector, self._drop, spans_max=spans_max)
        self.tracer: Tracer = provider("service", "instance", self.export).get_tracer("test")

    def _drop(self, spans: int) -> None:
        self.dropped += spans

    def tell(self, *names: str) -> None:
        """End a span of each name."""
        for name in names:
            self.tracer.start_span(name).end()


def test_what_waits_is_exported_at_the_end() -> None:
    """In its order, and nothing is dropped."""
    collector = Collector()
    world = World(collector)
    world.tell("a", "b")
    world.export.end()

    assert (["a", "b"], 0) == (collector.taken, world.dropped)


def test_what_finds_no_room_is_dropped_at_once_and_counted() -> None:
    """While a collector hangs."""
    collector = Collector(may_go=False)
    world = World(collector, spans_max=4)
    world.tell(*"abcdefg")

    assert 3 == world.dropped
    collector.may_go.set()
    world.export.end()
    assert (["a", "b", "c", "d"], 3) == (collector.taken, world.dropped)


def test_a_collector_that_refuses_costs_spans() -> None:
    """They are counted; room is there again."""
    collector = Collector(SpanExportResult.FAILURE)
    world = World(collector, spans_max=2)
    world.tell("a", "b")
    world.export.force_flush()
    world.tell("c")
    world.export.end()

    assert (["a", "b", "c"], 3) == (collector.taken, world.dropped)


def test_a_collector_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has not taken by then is dropped."""
    monkeypatch.setattr("streams.tracing.exporting.FLUSH_S", 0.1)
    collector = Collector(may_go=False)
    world = World(collector)
    world.tell("a", "b")
    started = time.monotonic()
    world.export.end()
    took_s, dropped = time.monotonic() - started, world.dropped
    collector.may_go.set()

    assert took_s < WAIT_S / 2
    assert 2 == dropped


def test_the_operators_name_of_the_service_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """By OpenTelemetry's own variables."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "theirs")
    world = provider("ours", "instance", BoundedExport(Collector(), lambda _: None))

    assert ("theirs", "instance") == tuple(
        world.resource.attributes[name] for name in ("service.name", "service.instance.id")
    )
    world.shutdown()


OFF = """
import sys
from streams.app import DeliveryApp
from streams.settings import Settings
app = DeliveryApp(Settings(trace_sample_ratio={ratio}))
print(any(name.startswith("opentelemetry") for name in sys.modules))
"""


@pytest.mark.parametrize(("ratio", "is_loaded"), [("0", "False"), ("0.1", "True")])
def test_a_worker_that_traces_nothing_loads_nothing_of_it(ratio: str, is_loaded: str) -> None:
    """Not a module; one that does, does."""
    code = OFF.format(ratio=ratio)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert is_loaded == ended.stdout.strip()
