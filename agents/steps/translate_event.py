"""A domain event becomes the body to send, or says why it cannot. It decides nothing about sending."""

import orjson

from agents.steps.fingerprint import fingerprint, ulid_of
from agents.steps.limits import id_over_limit, item_over_limit, name_over_limit
from agents.steps.malformed import malformed
from schemas.codec import Malformed, decode_domain_event
from schemas.domain_event import DomainEvent
from schemas.person_id import presentable
from schemas.record import Record
from schemas.strict_json import canonical_json
from schemas.times import first_timestamp_ms, sendable_s
from schemas.translated import Event, Unsendable


def translate_event(record: Record) -> Event | Unsendable:
    """Decode and translate one record of `domain-events`; never raises for what a publisher wrote."""
    if record.value is None:
        return malformed(record, "value: must not be null")
    event = decode_domain_event(record.value)
    if isinstance(event, Malformed):
        return malformed(record, event.detail, user_id=event.user_id)
    if record.key is not None and record.key != event.person.encode():
        return malformed(record, f"key and {event.person_path} differ", user_id=event.person)
    return _within_limits(_translate(record, event), event)


def _translate(record: Record, event: DomainEvent) -> Event:
    time_ms = first_timestamp_ms(record) if event.occurred_ms is None else event.occurred_ms
    operation = _operation(event)
    operation["timestamp"] = time_ms
    digest = fingerprint(canonical_json(operation if event.id is None else _named_by_publisher(event)))
    event_id = ulid_of(digest)
    operation["timestamp"] = sendable_s(time_ms)
    operation["id"] = event_id
    return Event(
        record=record,
        user_id=event.user_id or None,
        anonymous_id=event.anonymous_id or None,
        body=orjson.dumps(operation),
        fingerprint=digest,
        event_id=event_id,
    )


def _operation(event: DomainEvent) -> dict[str, object]:
    if not event.user_id:
        return {"name": event.name, "anonymous_id": event.anonymous_id, "data": event.data}
    identifiers = {"id": event.user_id}
    person = {"type": "person", "action": "event", "identifiers": identifiers}
    return {**person, "name": event.name, "attributes": event.data}


def _named_by_publisher(event: DomainEvent) -> dict[str, object]:
    """What such an event is known by; the name of the person's field keeps user 1 and anonymous 1 apart."""
    return {event.person_path: event.person, "name": event.name, "id": event.id}


def _within_limits(event: Event, source: DomainEvent) -> Event | Unsendable:
    fault = (
        id_over_limit(source.person_path, source.person) or name_over_limit(source.name) or item_over_limit(event.body)
    )
    if fault is None:
        return event
    return Unsendable(
        record=event.record,
        reason="too_large",
        detail=fault,
        user_id=presentable(source.person),
        operations=("event",),
        fingerprint=event.fingerprint,
        event_id=event.event_id,
    )
