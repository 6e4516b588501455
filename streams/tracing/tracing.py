"""A worker's tracing, put together: it wraps the worker's parts, so that they know nothing of it."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Self

from agents.plan import MakePlan
from agents.ports import Counts, Publication
from schemas.chunk import Chunk, Membership
from schemas.conclusion import Conclusion
from streams.delivery.journal import Writer
from streams.delivery.lanes import Works
from streams.settings import Settings
from streams.tracing.exporting import BoundedExport, otlp, provider
from streams.tracing.spans import Spans


class OpenTelemetry:
    """Tells `spans` what happens; `export` is where they go."""

    is_on = True

    def __init__(self, spans: Spans, export: BoundedExport) -> None:
        self._export = export
        self._spans = spans
        self.request = spans.request

    @classmethod
    def of(cls, settings: Settings, dropped: Callable[[int], None]) -> Self:
        """Start it."""
        export = BoundedExport(otlp(), dropped)
        tracer = provider(settings.app_id, uuid.uuid4().hex, export).get_tracer("streams")
        return cls(Spans(tracer, ratio=settings.trace_sample_ratio, group=settings.app_id), export)

    def works(self, works: Works) -> Works:
        """Tell of each chunk."""
        return _TracedWorks(works, self._spans)

    def writer(self, writer: Writer) -> Writer:
        """Tell of each transaction."""
        return _TracedWriter(writer, self._spans)

    def concluded(self, chunk: Chunk, counts: Counts, conclusions: Sequence[Conclusion], now_ms: int) -> None:  # noqa: ARG002 - the port's signature
        """A chunk's conclusions are committed."""
        self._spans.concluded(chunk, counts)

    def sent(self, chunk: Chunk, conclusion: Conclusion, now_ms: int) -> None:  # noqa: ARG002 - as above
        """The conclusion of one send is committed."""
        self._spans.concluded(chunk, Counts([(conclusion.outcome, conclusion.reason)]))

    async def close(self) -> None:
        """Export what waits; in bounded time."""
        await asyncio.to_thread(self._export.end)


class _TracedWorks:
    def __init__(self, works: Works, spans: Spans) -> None:
        self._works = works
        self._spans = spans

    async def process(self, chunk: Chunk, make_plan: MakePlan) -> None:
        with self._spans.chunk(chunk):
            await self._works.process(chunk, make_plan)


class _TracedWriter:
    def __init__(self, writer: Writer, spans: Spans) -> None:
        self._writer = writer
        self._spans = spans

    def write(self, publications: Sequence[Publication], membership: Membership) -> None:
        with self._spans.transaction(publications):
            self._writer.write(publications, membership)
