"""Says what a reporting webhook has in it, as Customer.io's description of them has it; pure, and without chance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streams.sandbox.message import Channel
from streams.sandbox.outbox import Delivery
from streams.sandbox.person import Person

ACTION_ID: Final = 1
"""Every campaign and broadcast has one step here."""

CUSTOMER: Final = "customer"
PREFERENCES_CHANGED: Final = "cio_subscription_preferences_changed"
PLATFORMS: Final = frozenset({"ios", "android"})
WITHOUT_ADDRESS: Final = frozenset({"drafted", "undeliverable"})
UNADDRESSED: Final[Mapping[str, frozenset[str]]] = {"sms": frozenset(), "in_app": frozenset({"opened"})}
"""Metrics whose webhooks do not say where the message went; an e-mail's always do."""

SYNTHETIC: Final = {"proxied": False, "prefetched": False, "synthetic": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What webhooks say about a message, its content left out: `parent` is what it was made by."""

    delivery_id: str
    channel: Channel
    identifiers: Mapping[str, str | None]
    to: tuple[str, ...]
    platforms: tuple[str, ...]
    subject: str
    parent: Mapping[str, Any] = field(default_factory=dict)


def report_on(delivery: Delivery, person: Person, *, template_id: int | str | None, journey_id: str) -> Reported:
    """Take from a message what its webhooks will say; the person may be gone by then."""
    devices = [person.devices.get(token, {}) for token in delivery.to] if delivery.channel == "push" else []
    return Reported(
        delivery_id=delivery.delivery_id,
        channel=delivery.channel,
        identifiers=identifiers_of(person),
        to=delivery.to,
        platforms=tuple(str(device.get("platform")) for device in devices),
        subject=delivery.subject,
        parent=_parent(delivery, template_id=template_id, journey_id=journey_id),
    )


def identifiers_of(person: Person) -> Mapping[str, str | None]:
    """Return who somebody is; what is not set is null."""
    named = person.identifiers
    return {"id": named.get("id"), "email": named.get("email"), "cio_id": person.cio_id}


def message_data(message: Reported, metric: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `data` of a webhook about a message; `extra` is what only this metric has."""
    data = {**_who(message.identifiers), "delivery_id": message.delivery_id, **message.parent}
    match message.channel:
        case "push" if metric not in WITHOUT_ADDRESS:
            data["recipients"] = _devices(message, metric, extra)
            extra = {name: value for name, value in extra.items() if name != "failure_message"}
        case "email":
            data |= {"recipient": ", ".join(message.to), "subject": message.subject}
        case "sms" | "in_app" if message.to and metric not in WITHOUT_ADDRESS | UNADDRESSED[message.channel]:
            data["recipient"] = message.to[0]
        case _:
            pass
    return {**data, **extra}


def customer_data(identifiers: Mapping[str, str | None], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `data` of a webhook about a person; `extra` names the message that was the occasion, if any."""
    # The deprecated field has to be there in these, also for somebody without an id.
    return {"customer_id": "", **_who(identifiers), "email_address": identifiers["email"], **extra}


def _who(identifiers: Mapping[str, str | None]) -> dict[str, Any]:
    deprecated = {} if identifiers["id"] is None else {"customer_id": identifiers["id"]}
    return {**deprecated, "identifiers": identifiers}


def _devices(message: Reported, metric: str, extra: Mapping[str, Any]) -> list[dict[str, str]]:
    known = zip(message.to, message.platforms, strict=True)
    devices = [
        {"device_id": token} | ({"device_platform": platform} if platform in PLATFORMS else {})
        for token, platform in known
    ]
    if metric != "bounced":
        return devices
    return [{"device_platform": "android", **device, **extra} for device in devices]


def _parent(delivery: Delivery, *, template_id: int | str | None, journey_id: str) -> dict[str, Any]:
    step = {"action_id": ACTION_ID, "journey_id": journey_id}
    if delivery.campaign is not None:
        return {"campaign_id": delivery.campaign, **step, "trigger_event_id": delivery.trigger_event_id}
    if delivery.broadcast is not None:
        return {"broadcast_id": delivery.broadcast, "trigger_id": delivery.trigger, **step}
    return {"transactional_message_id": template_id}
