"""The spans of a worker: one for each chunk, request and transaction, and what belongs to what.

Nothing of a record is in them but its place and the ids of its trace.
"""

import random
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from agents.ports import Counts, Publication
from schemas.answer import Answer, NoAnswer
from schemas.chunk import Chunk
from schemas.record import Record
from schemas.trace_context import TRACEPARENT, TraceContext, trace_context
from streams.progress import Progress, worked_for

RECORD_LINKS_MAX: Final = 100
"""Of one chunk; its requests that belong to another chunk's trace have the rest of what a span may link to."""

Place = tuple[str, int]
Exchange = Callable[[Mapping[str, str]], Awaitable[Answer | NoAnswer]]
"""A request that is made with these further headers."""


class Spans:
    """What `tracer` is told. A chunk is traced when one of its records is of a trace that is kept, others by chance."""

    def __init__(
        self, tracer: Tracer, *, ratio: float, group: str, chance: Callable[[], float] = random.random
    ) -> None:
        self._tracer = tracer
        self._ratio = ratio
        self._group = group
        self._chance = chance
        self._chunks: dict[Place, Span] = {}  # a lane has one chunk at a time

    @contextmanager
    def chunk(self, chunk: Chunk) -> Iterator[None]:
        """Tell of the work on a chunk, if it is traced: a trace of its own, linked to those of its records."""
        links = _links(chunk.records)
        if not links and self._chance() >= self._ratio:
            yield
            return
        attributes = _of_chunk(chunk) | {"messaging.consumer.group.name": self._group}
        name = f"process {chunk.topic}"
        span = self._tracer.start_span(name, Context(), SpanKind.CONSUMER, attributes=attributes, links=links)
        place = (chunk.topic, chunk.partition)
        self._chunks[place] = span
        _name_trace(span)
        try:
            with _ending(span):
                yield
        finally:
            if self._chunks.get(place) is span:
                del self._chunks[place]

    def concluded(self, chunk: Chunk, counts: Counts) -> None:
        """Say of a chunk's span what has become of its records."""
        if span := self._chunks.get((chunk.topic, chunk.partition)):
            for (outcome, reason), count in counts.items():
                span.add_event("concluded", {"cio.outcome": outcome, "cio.reason": reason or "", "cio.records": count})

    async def request(self, method: str, url: str, exchange: Exchange) -> Answer | NoAnswer:
        """Make a request, and tell of it if a chunk is traced that it works for."""
        chunks = self._of(_place(lane) for lane in worked_for())
        if not chunks:
            return await exchange({})
        span = self._begin(chunks, _request_name(method, url), SpanKind.CLIENT, _of_request(method, url))
        with _ending(span):
            response = await exchange({TRACEPARENT: _traceparent(span)})
            _tell(span, response)
        return response

    @contextmanager
    def transaction(self, publications: Sequence[Publication]) -> Iterator[None]:
        """Tell of a transaction if a chunk is traced that it holds; in the journal's thread."""
        chunks = self._of((each.chunk.topic, each.chunk.partition) for each in publications)
        if not chunks:
            yield
            return
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "commit",
            "messaging.operation.type": "settle",
            "messaging.consumer.group.name": self._group,
            "messaging.batch.message_count": sum(len(each.results) for each in publications),
        }
        with _ending(self._begin(chunks, f"commit {self._group}", SpanKind.CLIENT, attributes)):
            yield

    def _of(self, places: Iterable[Place]) -> list[Span]:
        return [span for place in dict.fromkeys(places) if (span := self._chunks.get(place))]

    def _begin(
        self, chunks: Sequence[Span], name: str, kind: SpanKind, attributes: Mapping[str, AttributeValue]
    ) -> Span:
        """A child of the first chunk's span; the others and it are linked both ways, so each trace leads to it."""
        first, *others = chunks
        links = [Link(other.get_span_context()) for other in others]
        span = self._tracer.start_span(name, set_span_in_context(first, Context()), kind, attributes, links)
        for other in others:
            other.add_link(span.get_span_context())
        return span


def _links(records: Sequence[Record]) -> list[Link]:
    """To the traces of these records, each once, that are kept: nobody finds what others lead to."""
    found: dict[TraceContext, None] = {}
    for record in records:
        context = trace_context(record.headers) if record.headers else None
        if context and context.is_sampled:
            found[context] = None
            if len(found) == RECORD_LINKS_MAX:
                break
    return [Link(_remote(each)) for each in found]


def _remote(context: TraceContext) -> SpanContext:
    flags = TraceFlags(int(context.flags, 16))
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=True, trace_flags=flags)


def _of_chunk(chunk: Chunk) -> dict[str, AttributeValue]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": chunk.topic,
        "messaging.destination.partition.id": str(chunk.partition),
        "messaging.batch.message_count": len(chunk.records),
        "cio.first_offset": chunk.start,
        "cio.last_offset": chunk.next_offset - 1,
    }


def _request_name(method: str, url: str) -> str:
    """One for each endpoint, whatever number stands in its path."""
    return f"{method} {re.sub(r'/[0-9]+(?=/|$)', '/{id}', urlsplit(url).path)}"


def _of_request(method: str, url: str) -> dict[str, AttributeValue]:
    parts = urlsplit(url)
    return {
        "http.request.method": method,
        "url.full": url,
        "server.address": parts.hostname or "",
        "server.port": parts.port or (443 if parts.scheme == "https" else 80),
    }


def _tell(span: Span, response: Answer | NoAnswer) -> None:
    if isinstance(response, NoAnswer):
        _fail(span, response.cause)
        return
    span.set_attribute("http.response.status_code", response.status)
    if response.status >= 400:  # noqa: PLR2004 - HTTP's own line
        _fail(span, str(response.status))


def _fail(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))


@contextmanager
def _ending(span: Span) -> Iterator[None]:
    """End it, and say what kind of error it ended with, if any: never its text, which might quote a record."""
    try:
        yield
    except BaseException as exc:
        _fail(span, type(exc).__name__)
        raise
    finally:
        span.end()


def _place(lane: Progress) -> Place:
    return str(lane.of["topic"]), int(str(lane.of["partition"]))


def _traceparent(span: Span) -> str:
    context = span.get_span_context()
    return f"00-{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}-{context.trace_flags:02x}"


def _name_trace(span: Span) -> None:
    """What is logged for this chunk from now on names its trace."""
    trace_id = format_trace_id(span.get_span_context().trace_id)
    for lane in worked_for():
        lane.of = {**lane.of, "trace_id": trace_id}
