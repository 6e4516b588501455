"""Records of the topics that a warehouse is loaded from, rows and batches: only what matters is to be said."""

import json
from collections.abc import Sequence
from typing import Any, Final

from schemas.record import Stored
from streams.warehouse.port import Batch, Place
from streams.warehouse.result_rows import result_row
from streams.warehouse.tables import RESULTS, WEBHOOKS
from streams.warehouse.webhook_rows import webhook_row

NOW_S: Final = 1_795_341_600  # 2026-11-22T10:00:00Z
INCARNATION: Final = "made-first"


def webhook_body(event_id: str, metric: str = "sent", *, at_s: int = NOW_S, **data: Any) -> bytes:  # noqa: ANN401 - any JSON
    """A webhook of an e-mail; `data` is added to the person `u-1`."""
    told = {"identifiers": {"id": "u-1", "email": "ada@example.com"}, "delivery_id": "d-1"} | data
    body = {"event_id": event_id, "object_type": "email", "metric": metric, "timestamp": at_s, "data": told}
    return json.dumps(body).encode()


def result_value(offset: int, **changes: Any) -> bytes:  # noqa: ANN401 - any JSON
    """The result of an event that was delivered."""
    source = {"topic": "domain-events", "partition": 0, "offset": offset, "timestamp_ms": NOW_S * 1000}
    told = {
        "outcome": "delivered",
        "source": source,
        "user_id": "u-1",
        "operations": ["event"],
        "processed_at": "2026-11-22T10:00:00.500Z",
    }
    return json.dumps(told | changes).encode()


def stored(value: bytes | None, offset: int = 0, *, topic: str = "customerio-webhooks", partition: int = 0) -> Stored:
    """A record as it lies on Kafka."""
    return Stored(topic, partition, offset, NOW_S * 1000 + offset, None, value, [])


def place(partition: int = 0, *, incarnation: str = INCARNATION, topic: str = "customerio-webhooks") -> Place:
    """A place of the webhooks' topic."""
    return Place(topic, incarnation, partition)


def webhook_batch(bodies: Sequence[bytes | None], first: int = 0, *, at: Place | None = None) -> Batch:
    """A batch of webhooks whose offsets follow each other."""
    at = at or place()
    records = [stored(body, offset, partition=at.partition) for offset, body in enumerate(bodies, first)]
    return Batch(
        table=WEBHOOKS,
        place=at,
        first_offset=first,
        next_offset=first + len(bodies),
        rows=[webhook_row(record, at.incarnation) for record in records],
    )


def result_batch(values: Sequence[bytes | None], first: int = 0, *, at: Place | None = None) -> Batch:
    """A batch of results whose offsets follow each other."""
    at = at or place(topic="customerio-results")
    records = [
        stored(value, offset, topic=at.topic, partition=at.partition) for offset, value in enumerate(values, first)
    ]
    return Batch(
        table=RESULTS,
        place=at,
        first_offset=first,
        next_offset=first + len(values),
        rows=[result_row(record, at.incarnation) for record in records],
    )
