"""What the results topic and the dead-letter topic say of a conclusion."""

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from schemas import dead_letter
from schemas.conclusion import Conclusion
from schemas.dead_letter import replays_of, without_ours
from schemas.record import Header
from schemas.replayed import first_place
from schemas.times import first_timestamp_ms

_DETAIL_CHARACTERS_MAX = 500


def iso_utc(now_ms: int) -> str:
    """Unix milliseconds as `2026-11-22T10:00:00.184Z`."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now_ms % 1000:03d}Z"


def result(conclusion: Conclusion, *, now_ms: int, processed_at: str) -> bytes:
    """The value of the record's result; `processed_at` is `now_ms` as text, made once for all of a chunk."""
    record = conclusion.record
    told: dict[str, object] = {
        "outcome": conclusion.outcome,
        "reason": conclusion.reason,
        "detail": conclusion.detail,
        "source": {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp_ms": record.timestamp,
        },
        "user_id": conclusion.user_id,
        "operations": conclusion.operations,
        "fingerprint": conclusion.fingerprint.hex() if conclusion.fingerprint else None,
        "event_id": conclusion.event_id,
        "delivery_id": conclusion.delivery_id,
        "status": conclusion.status,
        "attempts": conclusion.attempts,
        "latency_ms": max(0, now_ms - record.timestamp),
        "processed_at": processed_at,
    }
    if origin := first_place(record):
        told["origin"] = origin._asdict()
    return orjson.dumps(told)


def letter_headers(conclusion: Conclusion, *, group: str, failed_at: str) -> Sequence[Header]:
    """The original headers, then ours: where names collide the last one counts. A header without value is left out.

    Of a replay that died again: those of the letter before give way to ours, which name the record's first place.
    """
    record = conclusion.record
    origin = first_place(record)
    first = origin or record
    ours = {
        dead_letter.TOPIC: first.topic,
        dead_letter.PARTITION: first.partition,
        dead_letter.OFFSET: first.offset,
        dead_letter.GROUP: group,
        dead_letter.DELIVERY_COUNT: conclusion.attempts,
        dead_letter.MESSAGE: (conclusion.detail or conclusion.reason or "")[:_DETAIL_CHARACTERS_MAX],
        dead_letter.ORIGINAL_TOPIC: first.topic,
        dead_letter.REASON: conclusion.reason,
        dead_letter.STATUS: conclusion.status,
        dead_letter.ATTEMPTS: conclusion.attempts,
        dead_letter.FAILED_AT: failed_at,
        dead_letter.FINGERPRINT: conclusion.fingerprint.hex() if conclusion.fingerprint else None,
        dead_letter.EVENT_ID: conclusion.event_id,
        dead_letter.TIMESTAMP_MS: first_timestamp_ms(record),
        dead_letter.REPLAYS: replays_of(record.headers) if origin else 0,
    }
    original = without_ours(record.headers) if origin else record.headers
    return [*original, *((name, str(value).encode()) for name, value in ours.items() if value is not None)]
