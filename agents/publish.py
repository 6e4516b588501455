"""What conclusions put on Kafka: results and dead letters, as the topics of that name have them."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from agents.ports import Publication
from agents.steps.report import iso_utc, letter_headers, result
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.trace_context import trace_headers

_OFFSET = attrgetter("record.offset")


def publication(
    chunk: Chunk,
    conclusions: Sequence[Conclusion],
    *,
    group: str,
    now_ms: int,
    is_traced: bool = False,
    **remembered: Any,  # noqa: ANN401 - the publication's own fields
) -> Publication:
    """Put together what the records of these conclusions come to, and what is `remembered` with it.

    Where it `is_traced` each result belongs to the trace of its record.
    """
    dead = sorted((c for c in conclusions if c.outcome == "dead"), key=_OFFSET)  # a person's stay in order
    now = iso_utc(now_ms)
    return Publication(
        chunk=chunk,
        results=[(c.record.key, result(c, now_ms=now_ms, processed_at=now)) for c in conclusions],
        letters=[(c.record.key, c.record.value, letter_headers(c, group=group, failed_at=now)) for c in dead],
        traces=[trace_headers(c.record.headers) for c in conclusions] if is_traced else (),
        concluded_s=now_ms / 1000,
        **{"people": (), "events": (), **remembered},
    )
