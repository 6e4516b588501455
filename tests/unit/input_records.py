"""Records as Kafka would deliver them, built with only what matters to a test."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

TIMESTAMP_MS = 1_795_341_600_123


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRecord:
    """A record of an input topic."""

    topic: str = "user-changes"
    partition: int = 0
    offset: int = 0
    timestamp: int = TIMESTAMP_MS
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


def make_upsert(*, key: bytes | None = None, timestamp: int = TIMESTAMP_MS, **fields: object) -> InputRecord:
    """Build an upsert of user u-1 with these fields."""
    change = {"type": "user.upserted", "user": {"id": "u-1", **fields}}
    return InputRecord(key=key, value=orjson.dumps(change), timestamp=timestamp)


def make_event(*, key: bytes | None = None, timestamp: int = TIMESTAMP_MS, **fields: object) -> InputRecord:
    """Build an event `order_completed` with these fields; of user u-1 unless they name somebody."""
    person = {} if {"user_id", "anonymous_id"} & fields.keys() else {"user_id": "u-1"}
    event = {"name": "order_completed", **person, **fields}
    return InputRecord(topic="domain-events", key=key, value=orjson.dumps(event), timestamp=timestamp)
