"""Reads the single fields that v1 and v2 have in common; refuses what the official OpenAPI refuses.

It knows no endpoint and no action. A refusal names the field as the caller calls it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from streams.sandbox import limits
from streams.sandbox.operation import Identifier, RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.person import PREFERENCES

MERGE_IDENTIFIERS: Final = ("id", "email", "cio_id")


class Type(NamedTuple):
    """What a value must be, in words and as a question."""

    message: str
    fits: Callable[[object], bool]


TEXT: Final = Type("must be a string", lambda value: isinstance(value, str))
INTEGER: Final = Type("must be an integer", lambda value: isinstance(value, int) and not isinstance(value, bool))
BOOLEAN: Final = Type("must be a boolean", lambda value: isinstance(value, bool))
OBJECT: Final = Type("must be an object", lambda value: isinstance(value, dict))
TEXTS: Final = Type(
    "must be an array of strings",
    lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
)


def one_of(*words: str) -> Type:
    """Return the type of a value that must be one of `words`."""
    return Type(f"must be one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words)


Types = Mapping[str, Type]

EVENT_TYPES: Final[Types] = {"recipient": TEXT, "from_address": TEXT, "reply_to": TEXT}
_PLATFORM: Final[Types] = {"platform": one_of("ios", "android")}
_DEVICE: Final[Types] = {"last_used": INTEGER, "attributes": OBJECT}
_DEVICE_ATTRIBUTES: Final[Types] = {
    "_last_status": one_of("", "bounced", "sent", "suppressed"),
    "push_enabled": one_of("true", "false"),
}


def refuse_misfits(values: Mapping[str, Any], types: Types, *, field: str, is_required: bool = False) -> None:
    """Raise when a value is not of its type, null being a value; where one is required, also when it is missing."""
    for name, wanted in types.items():
        if (is_required or name in values) and not wanted.fits(values.get(name)):
            raise RefusedError(f"{field}.{name}" if field else name, wanted.message)


def read_object(value: object, *, field: str) -> Mapping[str, Any]:
    """Read an object."""
    if not isinstance(value, dict):
        raise RefusedError(field, OBJECT.message)
    return value


def read_identifier(value: object, *, field: str, kinds: tuple[str, ...]) -> Identifier:
    """Read the one identifier out of `value`, which must have exactly one of `kinds`."""
    identifiers = value if isinstance(value, dict) else {}
    present = [kind for kind in kinds if kind in identifiers]
    if len(present) != 1:
        raise RefusedError(field, f"must have exactly one of {', '.join(kinds)}")
    kind = present[0]
    text = identifiers[kind]
    # The OpenAPI knows strings only, Customer.io's own refusal speaks of "a string or a number".
    if kind == "id" and isinstance(text, int | float) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str):
        raise RefusedError(f"{field}.{kind}", "must be a string or a number" if kind == "id" else TEXT.message)
    if not text:
        raise RefusedError(f"{field}.{kind}", "cannot be empty")
    if limits.is_longer(text, limits.ID_BYTES_MAX):
        raise RefusedError(f"{field}.{kind}", f"cannot be longer than {limits.ID_BYTES_MAX} bytes")
    return Identifier(kind, text)


def read_object_identifier(value: object, *, field: str) -> Identifier:
    """Read who an object is: type and id together, or Customer.io's own id."""
    identifiers = read_object(value, field=field)
    is_named = "object_type_id" in identifiers and "object_id" in identifiers
    if is_named == ("cio_object_id" in identifiers):
        raise RefusedError(field, "must have either object_type_id and object_id, or cio_object_id")
    if not is_named:
        return read_identifier(identifiers, field=field, kinds=("cio_object_id",))
    kind = read_identifier(identifiers, field=field, kinds=("object_type_id",))
    name = read_identifier(identifiers, field=field, kinds=("object_id",))
    return Identifier("object_id", f"{kind.value}/{name.value}")


def read_timestamp(value: object, *, field: str, options: SandboxOptions) -> int:
    """Read unix seconds: an integer, and not by mistake milliseconds."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise RefusedError(field, INTEGER.message)
    if value > limits.TIMESTAMP_MAX and options.refuses_milliseconds:
        raise RefusedError(field, "must be in unix seconds, not milliseconds")
    return value


def read_event_id(value: object, *, options: SandboxOptions) -> str | None:
    """Read the ULID by which a repeat is recognised; None when it is none, and that is tolerated."""
    if not isinstance(value, str):
        raise RefusedError("id", TEXT.message)
    if limits.ULID.fullmatch(value):
        return value.upper()
    if options.rejects_malformed_ulid:
        raise RefusedError("id", "must be a valid ULID")
    return None


def read_device(value: object, *, key: str, is_added: bool) -> Mapping[str, Any]:
    """Read a device, whose token v1 has under `id`, and return it as v2 has it."""
    device = dict(read_object(value, field="device"))
    refuse_misfits(device, {key: TEXT}, field="device", is_required=True)
    if is_added:
        refuse_misfits(device, _PLATFORM, field="device", is_required=True)
        refuse_misfits(device, _DEVICE, field="device")
        attributes = device.get("attributes", {})
        refuse_misfits(attributes, dict.fromkeys(attributes, TEXT), field="device.attributes")
        refuse_misfits(attributes, _DEVICE_ATTRIBUTES, field="device.attributes")
    return {"token": device.pop(key)} | device


def read_relationships(value: object, *, field: str, read: Callable[..., Identifier]) -> None:
    """Read relationships, each with identifiers that `read` reads; they have no state here."""
    if not isinstance(value, list):
        raise RefusedError(field, "must be an array")
    for index, entry in enumerate(value):
        place = f"{field}.{index}"
        relationship = read_object(entry, field=place)
        if "identifiers" in relationship:
            read(relationship["identifiers"], field=f"{place}.identifiers")
        if "relationship_attributes" in relationship:
            place = f"{place}.relationship_attributes"
            refuse_large(read_object(relationship["relationship_attributes"], field=place), field=place)


def refuse_large(attributes: Mapping[str, Any], *, field: str) -> None:
    """Raise when attributes are too many, or one has too long a name or value."""
    if len(attributes) > limits.ATTRIBUTES_MAX:
        raise RefusedError(field, f"cannot have more than {limits.ATTRIBUTES_MAX} attributes")
    for name, value in attributes.items():
        if limits.is_longer(name, limits.ATTRIBUTE_NAME_BYTES_MAX):
            raise RefusedError(field, f"property name cannot be longer than {limits.ATTRIBUTE_NAME_BYTES_MAX} bytes")
        if limits.is_larger(value, limits.ATTRIBUTE_VALUE_BYTES_MAX):
            message = f"property value cannot be longer than {limits.ATTRIBUTE_VALUE_BYTES_MAX} bytes"
            raise RefusedError(f"{field}.{name}", message)


def refuse_preferences(attributes: Mapping[str, Any], *, field: str) -> None:
    """Raise when subscription preferences are not topics with booleans; an empty value clears or uses the default."""
    preferences = attributes.get(PREFERENCES)
    if preferences in (None, ""):
        return
    field = f"{field}.{PREFERENCES}" if field else PREFERENCES
    topics = read_object(preferences, field=field).get("topics", {})
    for name, choice in read_object(topics, field=f"{field}.topics").items():
        if choice not in (None, "") and not isinstance(choice, bool):
            raise RefusedError(f"{field}.topics.{name}", BOOLEAN.message)
