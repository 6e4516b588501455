"""Decides what a message says and where it goes: its own words before its template's, filled in for its person."""

from collections.abc import Mapping
from typing import Any

from streams.sandbox.liquid import Filled, fill
from streams.sandbox.message import Channel, Message
from streams.sandbox.operation import Identifier
from streams.sandbox.outbox import Delivery
from streams.sandbox.person import Person
from streams.sandbox.templates import Template


def fill_in(delivery: Delivery, message: Message, *, template: Template, person: Person | None) -> None:
    """Fill in what a message says, and where it goes; without a person there is nobody's data to fill in."""
    own = Template(
        id=template.id,
        subject=template.subject if message.subject is None else message.subject,
        body=template.body if message.body is None else message.body,
        sender=template.sender if message.sender is None else message.sender,
    )
    delivery.to = message.to
    if person is not None and message.channel in {"push", "in_app"}:
        delivery.to = _devices(person, message.to) if message.channel == "push" else _addresses(person, "in_app")
    names = {"message_data": message.data, "trigger": message.data, "customer": _customer(person)}
    _render(delivery, own, {**message.data, **names})


def fill_in_broadcast(delivery: Delivery, template: Template, *, person: Person) -> None:
    """Fill in what a broadcast says to one of its people, and where it goes."""
    delivery.to = _addresses(person, template.channel)
    _render(delivery, template, {"trigger": delivery.data, "customer": _customer(person)})


def fill_in_campaign(delivery: Delivery, template: Template, *, person: Person) -> None:
    """Fill in what a campaign says to the person of the event that triggered it, and where it goes."""
    delivery.to = _addresses(person, template.channel)
    _render(delivery, template, {"event": delivery.data, "customer": _customer(person)})


def identifier_of(person: Person) -> Identifier:
    """Return what a person is called in the outbox."""
    kind = next((kind for kind in ("id", "email") if kind in person.identifiers), None)
    return Identifier("cio_id", person.cio_id) if kind is None else Identifier(kind, person.identifiers[kind])


def _render(delivery: Delivery, template: Template, values: Mapping[str, Any]) -> None:
    filled: list[Filled] = [fill(text, values) for text in (template.subject, template.body, template.sender)]
    delivery.subject, delivery.body, delivery.sender = (each.text for each in filled)
    delivery.missing = tuple(dict.fromkeys(name for each in filled for name in each.missing))
    delivery.is_whole = all(each.is_whole for each in filled)


def _customer(person: Person | None) -> dict[str, Any]:
    if person is None:
        return {}
    return {**person.shown_attributes(), **person.identifiers, "cio_id": person.cio_id}


def _addresses(person: Person, channel: Channel) -> tuple[str, ...]:
    match channel:
        case "email":
            found = person.identifiers.get("email")
        case "sms":
            found = person.identifiers.get("phone") or person.values.get("phone")
        case "push":
            return tuple(person.devices)
        case "in_app":
            found = person.cio_id
    return (found,) if isinstance(found, str) else ()


def _devices(person: Person, wanted: tuple[str, ...]) -> tuple[str, ...]:
    devices = tuple(person.devices)
    if wanted == ("all",):
        return devices
    if wanted == ("last_used",):
        newest = max(devices, key=lambda token: person.devices[token].get("last_used", 0), default=None)
        return () if newest is None else (newest,)
    return tuple(token for token in wanted if token in person.devices)
