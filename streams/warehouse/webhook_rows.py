"""From a record of `customerio-webhooks` to its row. Pure; whatever the record is, it becomes a row.

Addresses and contents of messages stay on Kafka: a warehouse is read by many, for a long time.
"""

from collections.abc import Callable
from typing import Final

import orjson

from schemas import webhook as named
from schemas.record import Stored
from schemas.webhook import Webhook, parse_webhook
from streams.warehouse.fields import Fields, is_too_deep, micros_of_s
from streams.warehouse.places import fault_key, place_of
from streams.warehouse.tables import Row, Value
from streams.warehouse.texts import kept, kept_link

LEFT_OUT: Final = (
    *("recipient", "recipients", "email_address", "to", "phone"),
    *("subject", "content", "headers", "body", "customer_id"),
)
"""Of `data`: who was written to, and what. `customer_id` is the person's id once more."""

IDENTIFIERS_LEFT_OUT: Final = ("id", "email", "phone")
_IDS: Final = (
    "delivery_id",
    *("campaign_id", "broadcast_id", "newsletter_id", "transactional_message_id"),
    *("trigger_id", "trigger_event_id", "action_id", "parent_action_id", "journey_id"),
    *("content_id", "template_id", "link_id"),
)
_FLAGS: Final = ("machine", "prefetched", "proxied", "synthetic")


def webhook_row(record: Stored, incarnation: str) -> Row:
    """Its row of `tables.WEBHOOKS`."""
    body = record.value or b""
    webhook = None if is_too_deep(body) else parse_webhook(body)
    key = webhook.event_id if webhook and webhook.event_id else fault_key(record, incarnation)
    own, data, more = _nothing() if webhook is None else _told(webhook, Fields(webhook.data), body)
    return (key, *own, _is_stale(record), _fault(record, webhook), data, more, *place_of(record, incarnation))


_Told = tuple[tuple[Value, ...], str | None, str | None]
"""The columns, then what has none: of `data`, and beside it."""


def _nothing() -> _Told:
    return (None,) * (7 + len(_IDS) + len(_FLAGS)), None, None


def _told(webhook: Webhook, data: Fields, body: bytes) -> _Told:
    own = (
        webhook.event_id,
        webhook.object_type,
        webhook.metric,
        None if webhook.timestamp_s is None else micros_of_s(webhook.timestamp_s),
        webhook.person_id,
        *(data.text(name) for name in _IDS),
        _kept(data.text("href"), kept_link),
        _kept(data.text("failure_message"), kept),
        *(data.flag(name) for name in _FLAGS),
    )
    identifiers = data.part("identifiers")
    identifiers.drop(*IDENTIFIERS_LEFT_OUT)
    data.drop(*LEFT_OUT)
    if identifiers.rest:
        data.rest["identifiers"] = identifiers.rest
    return own, data.left(), _beside(webhook, body)


def _beside(webhook: Webhook, body: bytes) -> str | None:
    """The fields of the body that nobody knew, or that were not of their kind."""
    more = Fields(orjson.loads(body))
    more.part("data")
    understood = {
        "event_id": webhook.event_id,
        "object_type": webhook.object_type,
        "object_type_type": webhook.object_type,
        "metric": webhook.metric,
        "timestamp": webhook.timestamp_s,
    }
    more.drop(*(name for name, value in understood.items() if value is not None))
    return more.left()


def _kept(text: str | None, of: Callable[[str], str]) -> str | None:
    return None if text is None else of(text)


def _fault(record: Stored, webhook: Webhook | None) -> str | None:
    if webhook is not None and webhook.event_id is not None:
        return None
    return "null" if record.value is None else named.NOT_UNDERSTOOD.decode()


def _is_stale(record: Stored) -> bool:
    return (named.STALE, named.IS_STALE) in record.headers
