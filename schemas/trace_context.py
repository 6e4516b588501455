"""The trace that a record belongs to, as W3C Trace Context names it in its headers; what is malformed names none."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

from schemas.record import Header

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
STATE_BYTES_MAX: Final = 512  # what the standard obliges anybody to pass on

_PARENT: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,256})?", re.DOTALL)
_STATE: Final = re.compile(rb"[ -~]{1,%d}" % STATE_BYTES_MAX)
_SAMPLED: Final = 1


class TraceContext(NamedTuple):
    """A span of somebody's trace, in lower-case hexadecimal digits: 32, 16 and 2 of them."""

    trace_id: str
    span_id: str
    flags: str

    @property
    def is_sampled(self) -> bool:
        """Whether whoever began it keeps it."""
        return bool(int(self.flags, 16) & _SAMPLED)

    @property
    def header(self) -> Header:
        """As `traceparent` says it; of a later version what all versions have."""
        return TRACEPARENT, f"00-{self.trace_id}-{self.span_id}-{self.flags}".encode()

    @classmethod
    def parse(cls, value: bytes) -> Self | None:
        """Read a `traceparent`; None where it is malformed, or names nothing."""
        found = _PARENT.fullmatch(value)
        if not found:
            return None
        version, *parts, more = found.groups()
        is_known = version != b"ff" and not (version == b"00" and more)
        trace_id, span_id, flags = (part.decode() for part in parts)
        return cls(trace_id, span_id, flags) if is_known and int(trace_id, 16) and int(span_id, 16) else None


def trace_context(headers: Sequence[Header]) -> TraceContext | None:
    """What a record's headers say; the last of its name counts."""
    value = _last(headers, TRACEPARENT)
    return TraceContext.parse(value) if value else None


def trace_headers(headers: Sequence[Header]) -> Sequence[Header]:
    """What a record made of another takes over from it, so that it belongs to the same trace."""
    context = trace_context(headers) if headers else None
    if context is None:
        return ()
    state = _last(headers, TRACESTATE)
    return [context.header, (TRACESTATE, state)] if state and _STATE.fullmatch(state) else [context.header]


def _last(headers: Sequence[Header], name: str) -> bytes | None:
    return next((value for each, value in reversed(headers) if each == name), None)
