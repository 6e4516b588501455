"""Decides which operations of the Track API v2 are valid, and reads them; it changes nothing and sees no request."""

from collections.abc import Mapping
from typing import Any, Final

from streams.sandbox import limits
from streams.sandbox.operation import EVENT_ACTIONS, Identifier, Operation, Refusal, RefusedError
from streams.sandbox.options import SandboxOptions

PERSON_IDENTIFIERS: Final = ("id", "email", "phone", "cio_id")
MERGE_IDENTIFIERS: Final = ("id", "email", "cio_id")
DELIVERY_METRICS: Final = frozenset({"opened", "converted", "delivered"})
PLATFORMS: Final = ("android", "ios")
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


def read_item(item: object, *, options: SandboxOptions) -> Operation | Refusal:
    """Read one operation; the refusal names the first rule that it breaks. Unknown fields are tolerated."""
    try:
        return _read(item, options=options)
    except RefusedError as refused:
        return refused.refusal


def _read(item: object, *, options: SandboxOptions) -> Operation:
    if not isinstance(item, dict):
        raise RefusedError("", "must be an object")
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
    return _read_person(item, action=action, options=options)


def _kind_and_action(item: Mapping[str, Any]) -> tuple[str, str]:
    kind, action = item.get("type"), item.get("action")
    if not isinstance(kind, str) or kind not in ACTIONS:
        raise RefusedError("type", "must be one of person, object, delivery")
    if not isinstance(action, str) or action not in ACTIONS[kind]:
        raise RefusedError("action", f"must be one of {', '.join(sorted(ACTIONS[kind]))}")
    return kind, action


def _read_person(item: Mapping[str, Any], *, action: str, options: SandboxOptions) -> Operation:
    if action == "merge":
        primary = read_identifier(item.get("primary"), field="primary", kinds=MERGE_IDENTIFIERS)
        secondary = read_identifier(item.get("secondary"), field="secondary", kinds=MERGE_IDENTIFIERS)
        return Operation(kind="person", action=action, identifier=primary, secondary=secondary)
    identifier = read_identifier(item.get("identifiers"), field="identifiers", kinds=PERSON_IDENTIFIERS)
    if action == "identify":
        return _read_identify(item, identifier=identifier)
    if action in EVENT_ACTIONS:
        return Operation(
            kind="person",
            action=action,
            identifier=identifier,
            name=_event_name(item.get("name")),
            event_id=read_event_id(item.get("id"), options=options),
            attributes=_object(item.get("attributes"), field="attributes"),
            timestamp=read_timestamp(item.get("timestamp"), field="timestamp"),
        )
    if action in {"add_device", "delete_device"}:
        device = _device(item.get("device"), is_added=action == "add_device")
        return Operation(kind="person", action=action, identifier=identifier, device=device)
    if action in {"add_relationships", "delete_relationships"}:
        _relationships(item.get("cio_relationships"), is_required=True)
    return Operation(kind="person", action=action, identifier=identifier)


def _read_identify(item: Mapping[str, Any], *, identifier: Identifier) -> Operation:
    attributes = _object(item.get("attributes"), field="attributes")
    refuse_attributes(attributes)
    _relationships(item.get("cio_relationships"), is_required=False)
    timestamp = read_timestamp(item.get("timestamp"), field="timestamp")
    is_update_only = False
    if "_update" in attributes or "_timestamp" in attributes:
        attributes = dict(attributes)
        is_update_only = attributes.pop("_update", False) is True
        inner = read_timestamp(attributes.pop("_timestamp", None), field="attributes._timestamp")
        timestamp = inner if timestamp is None else timestamp
    return Operation(
        kind="person",
        action="identify",
        identifier=identifier,
        attributes=attributes,
        timestamp=timestamp,
        is_update_only=is_update_only,
    )


def _read_object(item: Mapping[str, Any], *, action: str) -> Operation:
    identifiers = _object(item.get("identifiers"), field="identifiers")
    if "cio_object_id" in identifiers:
        identifier = read_identifier(identifiers, field="identifiers", kinds=("cio_object_id",))
    else:
        kind = read_identifier(identifiers, field="identifiers", kinds=("object_type_id",))
        identifier = read_identifier(identifiers, field="identifiers", kinds=("object_id",))
        identifier = Identifier("object_id", f"{kind.value}/{identifier.value}")
    attributes = _object(item.get("attributes"), field="attributes")
    refuse_attributes(attributes)
    is_required = action in {"add_relationships", "delete_relationships"}
    _relationships(item.get("cio_relationships"), is_required=is_required)
    return Operation(kind="object", action=action, identifier=identifier, attributes=attributes)


def _read_delivery(item: Mapping[str, Any]) -> Operation:
    identifier = read_identifier(item.get("identifiers"), field="identifiers", kinds=("id",))
    name = item.get("name")
    if not isinstance(name, str) or name not in DELIVERY_METRICS:
        raise RefusedError("name", "must be one of converted, delivered, opened")
    attributes = _object(item.get("attributes"), field="attributes")
    if not isinstance(attributes.get("device_token"), str):
        raise RefusedError("attributes.device_token", "must be a string")
    return Operation(kind="delivery", action="event", identifier=identifier, name=name, attributes=attributes)


def read_identifier(value: object, *, field: str, kinds: tuple[str, ...]) -> Identifier:
    """Read the one identifier out of `value`, which must have exactly one of `kinds`; numbers are taken as text."""
    identifiers = _object(value, field=field)
    present = [kind for kind in kinds if kind in identifiers]
    if len(present) != 1:
        raise RefusedError(field, f"must have exactly one of {', '.join(kinds)}")
    kind = present[0]
    text = identifiers[kind]
    if kind in {"id", "object_id", "object_type_id"} and isinstance(text, int | float) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str):
        raise RefusedError(f"{field}.{kind}", "must be a string or a number" if kind == "id" else "must be a string")
    if not text:
        raise RefusedError(f"{field}.{kind}", "cannot be empty")
    if limits.is_longer(text, limits.ID_BYTES_MAX):
        raise RefusedError(f"{field}.{kind}", f"cannot be longer than {limits.ID_BYTES_MAX} bytes")
    return Identifier(kind, text)


def refuse_attributes(attributes: Mapping[str, Any]) -> None:
    """Raise when attributes are too many, or one has too long a name or value, or the e-mail is no text."""
    if len(attributes) > limits.ATTRIBUTES_MAX:
        raise RefusedError("attributes", f"cannot have more than {limits.ATTRIBUTES_MAX} attributes")
    for name, value in attributes.items():
        if limits.is_longer(name, limits.ATTRIBUTE_NAME_BYTES_MAX):
            message = f"property name cannot be longer than {limits.ATTRIBUTE_NAME_BYTES_MAX} bytes"
            raise RefusedError("attributes", message)
        if limits.is_larger(value, limits.ATTRIBUTE_VALUE_BYTES_MAX):
            message = f"property value cannot be longer than {limits.ATTRIBUTE_VALUE_BYTES_MAX} bytes"
            raise RefusedError(f"attributes.{name}", message)
    if not isinstance(attributes.get("email"), str | None):
        raise RefusedError("attributes.email", "must be a string")


def read_timestamp(value: object, *, field: str) -> int | None:
    """Read unix seconds; a fraction, a text, a negative number or milliseconds are refused."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise RefusedError(field, "must be an integer")
    if not 0 <= value <= limits.TIMESTAMP_MAX:
        raise RefusedError(field, "must be in unix seconds, not milliseconds")
    return value


def read_event_id(value: object, *, options: SandboxOptions) -> str | None:
    """Read the ULID by which a repeat is recognised."""
    if value is None:
        return None
    if isinstance(value, str) and limits.ULID.fullmatch(value):
        return value.upper()
    if options.rejects_malformed_ulid:
        raise RefusedError("id", "must be a valid ULID")
    return None


def _event_name(value: object) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if not name:
        raise RefusedError("name", "cannot be blank")
    if limits.is_longer(name, limits.EVENT_NAME_BYTES_MAX):
        raise RefusedError("name", f"cannot be longer than {limits.EVENT_NAME_BYTES_MAX} bytes")
    return name


def _device(value: object, *, is_added: bool) -> Mapping[str, Any]:
    device = _object(value, field="device")
    token = device.get("token")
    if not isinstance(token, str) or not token:
        raise RefusedError("device.token", "must be a string")
    if is_added and device.get("platform") not in PLATFORMS:
        raise RefusedError("device.platform", "must be one of android, ios")
    return device


def _relationships(value: object, *, is_required: bool) -> None:
    if value is None and not is_required:
        return
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise RefusedError("cio_relationships", "must be an array of objects")


def _object(value: object, *, field: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RefusedError(field, "must be an object")
    return value
