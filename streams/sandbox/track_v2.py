"""Decides which operations of the Track API v2 are valid, and reads them; it changes nothing and sees no request.

What it refuses is what the official OpenAPI refuses, besides documented limits; unknown fields are tolerated.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from streams.sandbox import limits
from streams.sandbox.fields import (
    BOOLEAN,
    EVENT_TYPES,
    MERGE_IDENTIFIERS,
    TEXT,
    TEXTS,
    Types,
    read_device,
    read_event_id,
    read_identifier,
    read_object,
    read_object_identifier,
    read_relationships,
    read_timestamp,
    refuse_large,
    refuse_misfits,
    refuse_preferences,
)
from streams.sandbox.operation import EVENT_ACTIONS, Identifier, Operation, Refusal, RefusedError
from streams.sandbox.options import SandboxOptions

PERSON_IDENTIFIERS: Final = ("id", "email", "phone", "cio_id")
DELIVERY_METRICS: Final = frozenset({"opened", "converted", "delivered"})
PERSON_ACTIONS: Final = EVENT_ACTIONS | {
    "identify",
    "delete",
    "add_relationships",
    "delete_relationships",
    "add_device",
    "delete_device",
    "merge",
    "suppress",
    "unsuppress",
}
ACTIONS: Final[Mapping[str, frozenset[str]]] = {
    "person": PERSON_ACTIONS,
    "object": frozenset({"identify", "identify_anonymous", "delete", "add_relationships", "delete_relationships"}),
    "delivery": frozenset({"event"}),
}
RELATIONSHIP_ACTIONS: Final = frozenset({"add_relationships", "delete_relationships"})
ATTRIBUTE_TYPES: Final[Mapping[str, Types]] = {
    "event": EVENT_TYPES,
    "page": dict.fromkeys(("path", "referrer", "search", "title", "url"), TEXT) | {"keywords": TEXTS},
    "screen": {},
}


def read_item(item: object, *, options: SandboxOptions) -> Operation | Refusal:
    """Read one operation; the refusal names the first rule that it breaks."""
    try:
        return _read(item, options=options)
    except RefusedError as refused:
        return refused.refusal


def _read(item: object, *, options: SandboxOptions) -> Operation:
    item = read_object(item, field="")
    size = limits.json_bytes(item)
    if size is None:
        raise RefusedError("", "is nested too deeply")
    if size > limits.ITEM_BYTES_MAX:
        raise RefusedError("", f"cannot be larger than {limits.ITEM_BYTES_MAX} bytes")
    kind, action = _kind_and_action(item)
    if kind == "object":
        return _read_object(item, action=action)
    if kind == "delivery":
        return _read_delivery(item)
    if action == "merge":
        return _read_merge(item)
    return _read_person(item, action=action, options=options)


def _kind_and_action(item: Mapping[str, Any]) -> tuple[str, str]:
    kind, action = item.get("type"), item.get("action")
    if not isinstance(kind, str) or kind not in ACTIONS:
        raise RefusedError("type", "must be one of person, object, delivery")
    if not isinstance(action, str) or action not in ACTIONS[kind]:
        raise RefusedError("action", f"must be one of {', '.join(sorted(ACTIONS[kind]))}")
    return kind, action


def _read_merge(item: Mapping[str, Any]) -> Operation:
    primary = read_identifier(item.get("primary"), field="primary", kinds=MERGE_IDENTIFIERS)
    secondary = read_identifier(item.get("secondary"), field="secondary", kinds=MERGE_IDENTIFIERS)
    return Operation(kind="person", action="merge", identifier=primary, secondary=secondary)


def _read_person(item: Mapping[str, Any], *, action: str, options: SandboxOptions) -> Operation:
    identifier = read_identifier(item.get("identifiers"), field="identifiers", kinds=PERSON_IDENTIFIERS)
    if action == "identify":
        return _read_identify(item, identifier=identifier, options=options)
    if action in EVENT_ACTIONS:
        return _read_event(item, action=action, identifier=identifier, options=options)
    device = None
    if action in {"add_device", "delete_device"}:
        device = read_device(item.get("device"), key="token", is_added=action == "add_device")
    elif action in RELATIONSHIP_ACTIONS:
        _read_relationships(item, is_required=True, read=read_object_identifier)
    return Operation(kind="person", action=action, identifier=identifier, device=device)


def _read_identify(item: Mapping[str, Any], *, identifier: Identifier, options: SandboxOptions) -> Operation:
    attributes = read_object(item.get("attributes", {}), field="attributes")
    refuse_large(attributes, field="attributes")
    _refuse_reserved(attributes)
    _read_relationships(item, is_required=False, read=read_object_identifier)
    timestamp = _read_timestamp(item, options=options)
    is_update_only = False
    if "_update" in attributes or "_timestamp" in attributes:
        attributes = dict(attributes)
        is_update_only = attributes.pop("_update", False)
        if "_timestamp" in attributes:
            # Not in the OpenAPI for v2, but sent in production; the item's own counts.
            inner = read_timestamp(attributes.pop("_timestamp"), field="attributes._timestamp", options=options)
            timestamp = inner if timestamp is None else timestamp
    return Operation(
        kind="person",
        action="identify",
        identifier=identifier,
        attributes=attributes,
        timestamp=timestamp,
        is_update_only=is_update_only,
    )


def _refuse_reserved(attributes: Mapping[str, Any]) -> None:
    refuse_misfits(attributes, {"_update": BOOLEAN}, field="attributes")
    refuse_preferences(attributes, field="attributes")
    # The two are identifiers as well, and are of their types wherever they stand; an empty value clears.
    if not isinstance(attributes.get("email"), str | None):
        raise RefusedError("attributes.email", TEXT.message)
    if isinstance(attributes.get("id"), bool | dict | list):
        raise RefusedError("attributes.id", "must be a string or a number")


def _read_event(item: Mapping[str, Any], *, action: str, identifier: Identifier, options: SandboxOptions) -> Operation:
    attributes = read_object(item.get("attributes", {}), field="attributes")
    refuse_misfits(attributes, ATTRIBUTE_TYPES[action], field="attributes")
    return Operation(
        kind="person",
        action=action,
        identifier=identifier,
        name=_event_name(item.get("name")),
        event_id=read_event_id(item["id"], options=options) if "id" in item else None,
        attributes=attributes,
        timestamp=_read_timestamp(item, options=options),
    )


def _event_name(value: object) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if not name:
        raise RefusedError("name", "cannot be blank")
    if limits.is_longer(name, limits.EVENT_NAME_BYTES_MAX):
        raise RefusedError("name", f"cannot be longer than {limits.EVENT_NAME_BYTES_MAX} bytes")
    return name


def _read_object(item: Mapping[str, Any], *, action: str) -> Operation:
    identifier = read_object_identifier(item.get("identifiers"), field="identifiers")
    attributes = read_object(item.get("attributes", {}), field="attributes")
    refuse_large(attributes, field="attributes")
    kinds = ("anonymous_id",) if action == "identify_anonymous" else MERGE_IDENTIFIERS
    read = partial(read_identifier, kinds=kinds)
    _read_relationships(item, is_required=action in RELATIONSHIP_ACTIONS, read=read)
    return Operation(kind="object", action=action, identifier=identifier, attributes=attributes)


def _read_delivery(item: Mapping[str, Any]) -> Operation:
    identifiers = read_object(item.get("identifiers"), field="identifiers")
    refuse_misfits(identifiers, {"id": TEXT}, field="identifiers", is_required=True)
    name = item.get("name")
    if not isinstance(name, str) or name not in DELIVERY_METRICS:
        raise RefusedError("name", "must be one of converted, delivered, opened")
    attributes = read_object(item.get("attributes"), field="attributes")
    refuse_misfits(attributes, {"device_token": TEXT}, field="attributes", is_required=True)
    identifier = Identifier("id", identifiers["id"])
    return Operation(kind="delivery", action="event", identifier=identifier, name=name, attributes=attributes)


def _read_relationships(item: Mapping[str, Any], *, is_required: bool, read: Callable[..., Identifier]) -> None:
    if is_required or "cio_relationships" in item:
        read_relationships(item.get("cio_relationships"), field="cio_relationships", read=read)


def _read_timestamp(item: Mapping[str, Any], *, options: SandboxOptions) -> int | None:
    return read_timestamp(item["timestamp"], field="timestamp", options=options) if "timestamp" in item else None
