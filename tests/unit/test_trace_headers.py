"""What an application queues belongs to the trace that it is in."""

import subprocess
import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import format_span_id, format_trace_id, use_span

from streams.messaging.trace_headers import current_trace

UNUSED = """
import sys
import streams.messaging
from streams.messaging.trace_headers import current_trace
print(current_trace(), "opentelemetry" in sys.modules)
"""


def test_within_a_span_the_record_says_so() -> None:
    """As the standard writes it; outside there is nothing to say."""
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("checkout")
    context = span.get_span_context()
    with use_span(span):
        ((name, value),) = current_trace()

    assert ("traceparent", f"00-{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}-".encode()) == (
        name,
        bytes(value if isinstance(value, bytes) else b"")[:-2],
    )
    assert [] == current_trace()


def test_an_application_without_opentelemetry_does_not_get_it() -> None:
    """Asking costs a look into a dictionary."""
    ended = subprocess.run([sys.executable, "-c", UNUSED], capture_output=True, text=True, check=True)

    assert "[] False" == ended.stdout.strip()
