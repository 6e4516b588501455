"""The trace in which an application queues a message, for the record's headers; nothing is loaded to find out."""

import sys
from typing import TypeAlias

from schemas.trace_context import TraceContext

Header: TypeAlias = tuple[str, str | bytes | None]


def current_trace() -> list[Header]:
    """`traceparent`, if the application uses OpenTelemetry and is within a span; else nothing."""
    opentelemetry = sys.modules.get("opentelemetry.trace")
    if opentelemetry is None:
        return []
    context = opentelemetry.get_current_span().get_span_context()
    if not context.is_valid:
        return []
    trace_id, span_id = opentelemetry.format_trace_id(context.trace_id), opentelemetry.format_span_id(context.span_id)
    name, value = TraceContext(trace_id, span_id, f"{context.trace_flags:02x}").header
    return [(name, value)]
