"""What the headers of a record say of its trace."""

import pytest

from schemas.trace_context import TraceContext, trace_context, trace_headers

TRACE = "0af7651916cd43dd8448eb211c80319c"  # pragma: allowlist secret - made up
SPAN = "b7ad6b7169203331"  # pragma: allowlist secret - made up
PARENT = f"00-{TRACE}-{SPAN}-01".encode()


def test_a_traceparent_names_a_span_of_a_trace() -> None:
    """And whether it is kept."""
    kept = trace_context([("traceparent", PARENT)])
    left = trace_context([("traceparent", PARENT[:-1] + b"0")])

    assert kept == TraceContext(TRACE, SPAN, "01")
    assert [True, False] == [each.is_sampled for each in (kept, left) if each]


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"ada@example.com",
        PARENT.upper(),
        PARENT + b"-more",
        PARENT[:-1],
        b"ff" + PARENT[2:],
        b"00-" + b"0" * 32 + PARENT[35:],
        PARENT[:36] + b"0" * 16 + b"-01",
        PARENT + b"\n",
        b"01" + PARENT[2:] + b"-" + b"x" * 1_000,
        b"\xff" * 55,
    ],
)
def test_what_is_malformed_names_none(value: bytes | None) -> None:
    """It is as if it were not there."""
    assert (None, ()) == (trace_context([("traceparent", value)]), trace_headers([("traceparent", value)]))


def test_a_later_version_is_read_as_far_as_all_have_it() -> None:
    """And passed on as the version that we speak."""
    headers = [("traceparent", b"01" + PARENT[2:] + b"-more")]

    assert [("traceparent", PARENT)] == list(trace_headers(headers))


def test_the_last_of_its_name_counts() -> None:
    """As with all headers on Kafka."""
    headers = [("traceparent", b"first"), ("traceparent", PARENT), ("other", b"x")]

    assert TraceContext(TRACE, SPAN, "01") == trace_context(headers)


def test_the_state_comes_along_only_with_a_trace_that_has_one() -> None:
    """And only as long, and of such characters, as the standard allows."""
    states = [b"a=b", b"x" * 513, "ä=b".encode(), None]
    with_parent = [trace_headers([("traceparent", PARENT), ("tracestate", state)]) for state in states]

    assert [["traceparent", "tracestate"], *[["traceparent"]] * 3] == [
        [name for name, _ in each] for each in with_parent
    ]
    assert () == trace_headers([("tracestate", b"a=b")])
