"""What a webhook becomes on Kafka: its own record, and one for each route that is for it. Decides; writes nothing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

import orjson

from schemas import webhook as names
from schemas.webhook import Webhook, is_understood, parse_webhook
from streams.kafka.producer import Headers
from streams.kafka.topic_plan import WEBHOOKS
from streams.settings import Settings
from streams.webhooks.routes import Route, RouteField

TOO_LARGE: Final = b"too_large"
KEPT_BYTES: Final = 65_536
"""Of a body that is too large so much is kept: it says what it was, and Kafka takes it wherever it takes records."""

FIELD_CHARS_MAX: Final = 10_000
"""A value of a route that is longer is left out, so that a routed record is never larger than its webhook's may be."""


class Draft(NamedTuple):
    """A record to be written; `topic` is its full name, `route` that of its route, None for the webhook itself."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers
    route: str | None = None


class Drafts(NamedTuple):
    """The records of one webhook, its own first; `unrouted` are the routes whose key it does not have."""

    records: list[Draft]
    fault: bytes | None
    unrouted: list[str]


class Drafting:
    """Makes records by the settings' topics and these routes."""

    def __init__(self, settings: Settings, routes: Sequence[Route]) -> None:
        self._topic = settings.topic(WEBHOOKS)
        self._routes = [(route, settings.topic(route.topic)) for route in routes]
        self._metrics = frozenset(metric for route in routes for metric in route.metrics)

    def draft(self, body: bytes, *, is_stale: bool = False) -> Drafts:
        """Make the records of a body that is whole."""
        webhook = parse_webhook(body)
        fault = None if is_understood(webhook) else names.NOT_UNDERSTOOD
        own = self._own(body, webhook, is_stale=is_stale, fault=fault)
        if webhook is None or fault or webhook.metric not in self._metrics:
            return Drafts([own], fault, [])
        routed, unrouted = self._routed(webhook)
        return Drafts([own, *routed], None, unrouted)

    def draft_too_large(self, beginning: bytes, *, is_stale: bool = False) -> Drafts:
        """Make the record of a body of which only the beginning is there: flagged, and of no route."""
        own = self._own(beginning[:KEPT_BYTES], None, is_stale=is_stale, fault=TOO_LARGE)
        return Drafts([own], TOO_LARGE, [])

    def _own(self, body: bytes, webhook: Webhook | None, *, is_stale: bool, fault: bytes | None) -> Draft:
        headers: Headers = _headers(webhook) if webhook else []
        if is_stale:
            headers.append((names.STALE, names.IS_STALE))
        if fault:
            headers.append((names.FAULT, fault))
        return Draft(self._topic, _key(webhook) if webhook else None, body, headers)

    def _routed(self, webhook: Webhook) -> tuple[list[Draft], list[str]]:
        routed: list[Draft] = []
        unrouted: list[str] = []
        for route, topic in self._routes:
            if webhook.metric not in route.metrics:
                continue
            if route.object_types is not None and webhook.object_type not in route.object_types:
                continue
            key = webhook.person_id if route.key == "person_id" else webhook.event_id
            if key is None:
                unrouted.append(route.name)
                continue
            value = orjson.dumps({name: _FIELDS[name](webhook) for name in route.fields})
            routed.append(Draft(topic, key.encode(), value, _headers(webhook), route.name))
        return routed, unrouted


def _key(webhook: Webhook) -> bytes | None:
    key = webhook.person_id or webhook.event_id
    return key.encode() if key else None


def _headers(webhook: Webhook) -> Headers:
    timestamp = None if webhook.timestamp_s is None else str(webhook.timestamp_s)
    known = (
        (names.EVENT_ID, webhook.event_id),
        (names.OBJECT_TYPE, webhook.object_type),
        (names.METRIC, webhook.metric),
        (names.TIMESTAMP, timestamp),
    )
    return [(name, value.encode()) for name, value in known if value is not None]


def _of_data(name: str) -> Callable[[Webhook], object]:
    return lambda webhook: _short(webhook.data.get(name))


def _short(value: object) -> object:
    """A text or a number as it is; anything else is not what the field is for."""
    if isinstance(value, str):
        return value if len(value) <= FIELD_CHARS_MAX else None
    return value if isinstance(value, int | float) else None


def _preferences(webhook: Webhook) -> Any:  # noqa: ANN401 - any JSON
    """What a changed subscription centre says: Customer.io puts it into a text of JSON, under a message's name."""
    content = webhook.data.get("content")
    if webhook.metric != "cio_subscription_preferences_changed" or not isinstance(content, str):
        return None
    if len(content) > FIELD_CHARS_MAX:
        return None
    try:
        told = orjson.loads(content)
        orjson.dumps(told)  # it reads deeper nesting than it writes
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return told


_OWN: Final[Mapping[str, Callable[[Webhook], object]]] = {
    "event_id": lambda webhook: webhook.event_id,
    "object_type": lambda webhook: webhook.object_type,
    "metric": lambda webhook: webhook.metric,
    "timestamp": lambda webhook: webhook.timestamp_s,
    "person_id": lambda webhook: webhook.person_id,
    "preferences": _preferences,
}
_FIELDS: Final = {name: _OWN.get(name) or _of_data(name) for name in get_args(RouteField)}
