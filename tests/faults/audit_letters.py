"""Audits the dead letters: one for each dead result, with the record's very bytes and the contract's headers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tests.faults.evidence import Output
from tests.faults.publisher import Place, Published
from tests.faults.traffic import Draft

NEEDED: Final = (
    "__dlq.errors.topic",
    "__dlq.errors.partition",
    "__dlq.errors.offset",
    "__dlq.errors.group",
    "__dlq.errors.delivery.count",
    "__dlq.errors.message",
    "kafka_dlt-original-topic",
    "cio.reason",
    "cio.attempts",
    "cio.failed_at",
    "cio.timestamp_ms",
    "cio.replays",
)


def audit_letters(
    published: Sequence[Published], results: Mapping[Place, dict[str, Any]], letters: Sequence[Output]
) -> Iterator[str]:
    """Yield every violation."""
    drafts = {record.place: record.draft for record in published}
    seen: set[Place] = set()
    for letter in letters:
        headers = dict(letter.headers)
        missing = [name for name in NEEDED if name not in headers]
        if missing:
            yield f"the letter at {letter.place} lacks {', '.join(missing)}"
            continue
        place = _source(headers)
        if place in seen:
            yield f"{place} has a second letter, at {letter.place}"
        seen.add(place)
        if place in drafts and place in results:
            yield from _audit_letter(letter, drafts[place], results[place], place)
        else:
            yield f"the letter at {letter.place} is of a record without result"
    dead = {place for place, result in results.items() if result["outcome"] == "dead"}
    yield from (f"{place} is dead, but has no letter" for place in sorted(dead - seen))


def _source(headers: Mapping[str, bytes]) -> Place:
    partition, offset = int(headers["__dlq.errors.partition"]), int(headers["__dlq.errors.offset"])
    return Place(headers["__dlq.errors.topic"].decode(), partition, offset)


def _audit_letter(letter: Output, draft: Draft, result: dict[str, Any], place: Place) -> Iterator[str]:
    headers = dict(letter.headers)
    if (letter.key, letter.value) != (draft.key, draft.value):
        yield f"{place}: the letter's key or value is not the record's"
    if letter.place.partition != place.partition:
        yield f"{place}: the letter is on partition {letter.place.partition}"
    if letter.headers[: len(draft.headers)] != draft.headers:
        yield f"{place}: the letter does not keep the original headers"
    if headers["cio.reason"] != b"malformed" or result["reason"] != "malformed":
        yield f"{place}: dead for {result['reason']}, expected malformed"
    if headers["cio.timestamp_ms"] != str(draft.timestamp_ms).encode():
        yield f"{place}: the letter has another cio.timestamp_ms"
