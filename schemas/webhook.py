"""What a reporting webhook of Customer.io says, as far as it can be understood; reading one never raises.

Customer.io adds fields and object types as it likes, so nothing is refused: what is not of its kind is not there.
"""

from typing import Any, Final, NamedTuple

import orjson

from schemas.person_id import id_text, presentable

TEXT_CHARS_MAX: Final = 200
"""An event id, object type or metric that is longer is none: they become headers, and Customer.io's are shorter."""

TIMESTAMP_S_MAX: Final = 100_000_000_000
"""From here on a time is in milliseconds by mistake."""

# The headers of a record of `customerio-webhooks`; one without a value is left out.
EVENT_ID: Final = "cio.event_id"
OBJECT_TYPE: Final = "cio.object_type"
METRIC: Final = "cio.metric"
TIMESTAMP: Final = "cio.timestamp"
STALE: Final = "cio.stale"
FAULT: Final = "cio.fault"
IS_STALE: Final = b"true"
NOT_UNDERSTOOD: Final = b"not_understood"


class Webhook(NamedTuple):
    """One webhook; `data` is what Customer.io put there, empty where it is no object."""

    event_id: str | None
    object_type: str | None
    metric: str | None
    timestamp_s: int | None
    person_id: str | None
    data: dict[str, Any]


def parse_webhook(body: bytes) -> Webhook | None:
    """Read a webhook's body; None for what is no JSON object."""
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(tree, dict):
        return None
    data = tree.get("data")
    data = data if isinstance(data, dict) else {}
    return Webhook(
        event_id=_text(tree.get("event_id")),
        object_type=_text(tree.get("object_type"))
        or _text(tree.get("object_type_type")),  # as the specification has it
        metric=_text(tree.get("metric")),
        timestamp_s=_seconds(tree.get("timestamp")),
        person_id=_person_id(data),
        data=data,
    )


def is_understood(webhook: Webhook | None) -> bool:
    """Whether it can be told from others: it is a JSON object with an event id."""
    return webhook is not None and webhook.event_id is not None


def _person_id(data: dict[str, Any]) -> str | None:
    identifiers = data.get("identifiers")
    named = _id(identifiers.get("id")) if isinstance(identifiers, dict) else None
    return named or _id(data.get("customer_id"))  # the older name of the same


def _id(value: object) -> str | None:
    try:
        return presentable(id_text(value))
    except ValueError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= TEXT_CHARS_MAX else None


def _seconds(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < TIMESTAMP_S_MAX else None
