"""Decides which calls of the Track API v1 are valid, and reads them; its messages are the documented v1 ones.

What it refuses is what the official OpenAPI refuses, besides documented limits; where it differs, it says why.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from streams.sandbox import limits
from streams.sandbox.fields import (
    BOOLEAN,
    EVENT_TYPES,
    INTEGER,
    MERGE_IDENTIFIERS,
    TEXT,
    TEXTS,
    Types,
    one_of,
    read_device,
    read_event_id,
    read_identifier,
    read_object,
    read_object_identifier,
    read_relationships,
    read_timestamp,
    refuse_misfits,
    refuse_preferences,
)
from streams.sandbox.operation import Identifier, Operation, RefusedError
from streams.sandbox.options import SandboxOptions

CIO_ID_PREFIX: Final = "cio_"
EVENT_TYPES_OF_THEIR_OWN: Final = ("page", "screen")
RELATIONSHIP_ACTIONS: Final = ("add_relationships", "delete_relationships")
SEGMENT_DIGITS_MAX: Final = 10
SEGMENT_IDS_MAX: Final = 1000

# `unsubscribed` is a boolean in the OpenAPI; its words say that 1, "1" and "TRUE" count too, and all else as false.
# Custom attributes are texts, integers and booleans there; nested ones and fractions are in use.
RESERVED: Final[Types] = {"_update": BOOLEAN, "anonymous_id": TEXT, "created_at": INTEGER}


def read_path_identifier(segment: str) -> Identifier:
    """Read the person named in a path: percent-decoded once; `cio_…`, an e-mail address, or else an id."""
    text = _read_path(segment, name="id")
    if text.startswith(CIO_ID_PREFIX):
        return Identifier("cio_id", text.removeprefix(CIO_ID_PREFIX))
    return Identifier("email" if "@" in text else "id", text)


def read_identify(identifier: Identifier, body: object, *, options: SandboxOptions) -> Operation:
    """Read `PUT /customers/{identifier}`, whose body is the attributes themselves."""
    attributes = dict(_json_object(body))
    if limits.json_bytes(attributes) is None:
        raise RefusedError("", "attributes are nested too deeply")
    _refuse_id(identifier, attributes)
    with _whole_sentences():
        refuse_misfits(attributes, RESERVED, field="")
        refuse_preferences(attributes, field="")
        _read_relationships(attributes)
        timestamp = _read_timestamp(attributes, name="_timestamp", options=options)
    if not isinstance(attributes.get("email"), str | None):
        raise RefusedError("email", "email attribute must be a string value")
    is_update_only = attributes.pop("_update", False)
    for name in ("_timestamp", "cio_relationships"):
        attributes.pop(name, None)
    _refuse_large(attributes)
    return Operation(
        kind="person",
        action="identify",
        identifier=identifier,
        attributes=attributes,
        timestamp=timestamp,
        is_update_only=is_update_only,
    )


def read_event(identifier: Identifier, body: object, *, options: SandboxOptions) -> Operation:
    """Read `POST /customers/{identifier}/events`, whose fields are called `data` where v2 says `attributes`.

    A type other than page and screen counts as event: the OpenAPI's words say so, although it lists three only. It
    also demands an `anonymous_id` of a screen view, although the person is named in the path: we do not.
    """
    event = _json_object(body)
    data = event.get("data", {})
    if not isinstance(data, dict):
        raise RefusedError("data", "event data must be a hash")
    size = limits.json_bytes(data)
    if size is None or size > limits.DATA_BYTES_MAX:
        raise RefusedError("data", f"event data cannot be longer than {limits.DATA_BYTES_MAX} bytes")
    name, action = _event_name(event.get("name")), event.get("type", "event")
    with _whole_sentences():
        refuse_misfits({"type": action}, {"type": TEXT}, field="")
        if action not in EVENT_TYPES_OF_THEIR_OWN:
            action = "event"
            refuse_misfits(data, EVENT_TYPES, field="data")
        event_id = read_event_id(event["id"], options=options) if "id" in event else None
        timestamp = _read_timestamp(event, name="timestamp", options=options)
    return Operation(
        kind="anonymous" if identifier.kind == "anonymous_id" else "person",
        action=action,
        identifier=identifier,
        name=name,
        event_id=event_id,
        attributes=data,
        timestamp=timestamp,
    )


def read_anonymous_event(body: object, *, options: SandboxOptions) -> Operation:
    """Read `POST /events`: an event of somebody who is not identified yet, or of nobody (an invite)."""
    anonymous_id = _json_object(body).get("anonymous_id", "")
    if not isinstance(anonymous_id, str):
        raise RefusedError("anonymous_id", "anonymous_id must be a string value")
    if limits.is_longer(anonymous_id, limits.ID_BYTES_MAX):
        raise RefusedError("anonymous_id", f"anonymous_id cannot be longer than {limits.ID_BYTES_MAX} bytes")
    return read_event(Identifier("anonymous_id", anonymous_id), body, options=options)


def read_added_device(identifier: Identifier, body: object) -> Operation:
    """Read `PUT /customers/{identifier}/devices`."""
    with _whole_sentences():
        device = read_device(_json_object(body).get("device"), key="id", is_added=True)
    return Operation(kind="person", action="add_device", identifier=identifier, device=device)


def read_deleted_device(identifier: Identifier, segment: str) -> Operation:
    """Read `DELETE /customers/{identifier}/devices/{device_id}`; a token has no documented limit."""
    device = {"token": _decode(segment, name="device_id")}
    return Operation(kind="person", action="delete_device", identifier=identifier, device=device)


def read_merge(body: object) -> Operation:
    """Read `POST /merge_customers`."""
    merge = _json_object(body)
    with _whole_sentences():
        primary, secondary = (_read_merged(merge, name) for name in ("primary", "secondary"))
    return Operation(kind="person", action="merge", identifier=primary, secondary=secondary)


def read_segment(segment: str, body: object, *, id_type: str, action: str) -> list[Operation]:
    """Read `POST /segments/{segment_id}/…_customers`: one operation for each of the ids."""
    if not (segment.isascii() and segment.isdecimal() and len(segment) <= SEGMENT_DIGITS_MAX):
        raise RefusedError("segment_id", "segment_id must be an integer")
    ids = _json_object(body).get("ids")
    with _whole_sentences():
        refuse_misfits({"id_type": id_type}, {"id_type": one_of(*MERGE_IDENTIFIERS)}, field="")
        if not isinstance(ids, list) or not TEXTS.fits(ids) or not 1 <= len(ids) <= SEGMENT_IDS_MAX:
            raise RefusedError("ids", f"must be an array of 1 to {SEGMENT_IDS_MAX} strings")
    named = (Identifier(id_type, each) for each in ids)
    return [Operation(kind="person", action=action, identifier=each, segment=int(segment)) for each in named]


def _read_merged(merge: Mapping[str, Any], name: str) -> Identifier:
    identifier = read_identifier(merge.get(name), field=name, kinds=MERGE_IDENTIFIERS)
    if len(merge[name]) > 1:
        raise RefusedError(name, "cannot have multiple identifiers")
    return identifier


def _refuse_id(identifier: Identifier, attributes: Mapping[str, Any]) -> None:
    if "id" not in attributes:
        return
    value = attributes["id"]
    if not isinstance(value, str):
        raise RefusedError("id", "id attribute must be a string value")
    if not value:
        raise RefusedError("id", "id attribute cannot be an empty string")
    if limits.is_longer(value, limits.ID_BYTES_MAX):
        raise RefusedError("id", f"id attribute cannot be longer than {limits.ID_BYTES_MAX} bytes")
    if identifier.kind == "id" and value != identifier.value:
        raise RefusedError("id", "id attribute and identifier are not the same value")


def _read_relationships(attributes: Mapping[str, Any]) -> None:
    if "cio_relationships" not in attributes:
        return
    name = "cio_relationships"
    change = read_object(attributes[name], field=name)
    refuse_misfits(change, {"action": one_of(*RELATIONSHIP_ACTIONS)}, field=name)
    if "relationships" in change:
        read_relationships(change["relationships"], field=f"{name}.relationships", read=read_object_identifier)


def _refuse_large(attributes: Mapping[str, Any]) -> None:
    if len(attributes) > limits.ATTRIBUTES_MAX:
        raise RefusedError("", f"cannot identify more than {limits.ATTRIBUTES_MAX} attributes in one request")
    for name, value in attributes.items():
        if limits.is_longer(name, limits.ATTRIBUTE_NAME_BYTES_MAX):
            raise RefusedError(name, f"attribute name cannot be longer than {limits.ATTRIBUTE_NAME_BYTES_MAX} bytes")
        if limits.is_larger(value, limits.ATTRIBUTE_VALUE_BYTES_MAX):
            bytes_max = limits.ATTRIBUTE_VALUE_BYTES_MAX
            raise RefusedError(name, f"value for attribute '{name}' cannot be longer than {bytes_max} bytes")


def _event_name(value: object) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if not name:
        raise RefusedError("name", "event name must not be blank")
    if limits.is_longer(name, limits.EVENT_NAME_BYTES_MAX):
        raise RefusedError("name", f"event name cannot be longer than {limits.EVENT_NAME_BYTES_MAX} bytes")
    return name


def _read_timestamp(values: Mapping[str, Any], *, name: str, options: SandboxOptions) -> int | None:
    return read_timestamp(values[name], field=name, options=options) if name in values else None


def _read_path(segment: str, *, name: str) -> str:
    text = _decode(segment, name=name)
    if limits.is_longer(text, limits.ID_BYTES_MAX):
        raise RefusedError(name, f"{name} attribute cannot be longer than {limits.ID_BYTES_MAX} bytes")
    return text


def _decode(segment: str, *, name: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise RefusedError(name, f"{name} in the path must be UTF-8") from None


def _json_object(body: object) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise RefusedError("", "request body must be a JSON object")
    return body


@contextlib.contextmanager
def _whole_sentences() -> Iterator[None]:
    # A v1 answer has no field beside its messages.
    try:
        yield
    except RefusedError as refused:
        raise RefusedError(refused.refusal.field, f"{refused.refusal.field} {refused.refusal.message}") from None
