"""Sample messages and broadcasts as real publishers send them, repeats and a mistake included.

Pure: chance and time are passed in. Their templates are in `sample_templates.json`.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from random import Random
from typing import Any, Final, Literal, TypeAlias

import orjson

from streams.kafka.topic_plan import BROADCAST_TRIGGERS, TRANSACTIONAL_MESSAGES
from streams.publishing.sample_people import PRODUCTS
from streams.publishing.sample_traffic import SampleRecord

Send: TypeAlias = Literal["receipt", "code", "welcome", "repeated_message", "malformed_message", "broadcast"]

SEND_SHARES: Final[Mapping[Send, int]] = {
    "receipt": 550,
    "code": 200,
    "welcome": 150,
    "repeated_message": 60,
    "malformed_message": 10,
    "broadcast": 30,
}
"""How many of a thousand are of each kind; where there is nothing to repeat yet, it becomes a receipt."""

RECIPIENTS: Final = 30
"""To the first so many users of the sample traffic, who are there within seconds."""

AUDIENCE_MAX: Final = 5
RECENT_MAX: Final = 50


def sample_sends(rng: Random, *, now: Callable[[], datetime]) -> Iterator[SampleRecord]:
    """Give records without end; the same chances and times give the same records."""
    recent: deque[SampleRecord] = deque(maxlen=RECENT_MAX)
    kinds, shares = tuple(SEND_SHARES), tuple(SEND_SHARES.values())
    while True:
        (kind,) = rng.choices(kinds, shares)
        if kind == "broadcast":
            yield _broadcast(rng)
        elif kind == "repeated_message" and recent:
            original = rng.choice(recent)
            yield SampleRecord(kind=kind, topic=original.topic, key=original.key, value=original.value)
        else:
            record = _message(kind, rng, now=now())
            if kind != "malformed_message":
                recent.append(record)
            yield record


def _message(kind: Send, rng: Random, *, now: datetime) -> SampleRecord:
    number = rng.randrange(1, RECIPIENTS + 1)
    user_id, product = f"user-{number}", rng.choice(PRODUCTS)
    message: dict[str, Any] = {
        "message_id": f"msg-{rng.getrandbits(48):012x}",
        "occurred_at": now.isoformat(timespec="milliseconds"),
        "identifiers": {"id": user_id},
    }
    match kind:
        case "code":
            data = {"code": f"{rng.randrange(1_000_000):06}"}
            # Numbers that belong to nobody.
            to = f"+120255501{number:02}"
            message |= {"channel": "sms", "to": to, "transactional_message_id": 5, "message_data": data}
        case "welcome":
            message |= {
                "channel": "in_app",
                "transactional_message_id": "welcome",
                "message_data": {"product": product},
            }
        case _:
            data = {"product": product, "total": f"{rng.randrange(500, 50_000) / 100:.2f}"}
            to = f"{user_id}@example.com"
            message |= {"channel": "email", "to": to, "transactional_message_id": 3, "message_data": data}
    if kind == "malformed_message":
        message["identifiers"] = {"id": user_id, "email": message["to"]}
    key, value = user_id.encode(), orjson.dumps(message)
    return SampleRecord(kind=kind, topic=TRANSACTIONAL_MESSAGES, key=key, value=value)


def _broadcast(rng: Random) -> SampleRecord:
    numbers = rng.sample(range(1, RECIPIENTS + 1), AUDIENCE_MAX)
    trigger = {
        "trigger_id": f"sale-{rng.getrandbits(48):012x}",
        "broadcast_id": 12,
        "data": {"code": rng.choice(("SPRING", "SUMMER", "WINTER"))},
        "audience": {"ids": [f"user-{number}" for number in sorted(numbers)]},
        "id_ignore_missing": True,
    }
    return SampleRecord(kind="broadcast", topic=BROADCAST_TRIGGERS, key=b"12", value=orjson.dumps(trigger))
