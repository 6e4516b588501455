"""Decides which calls of the Track API v1 are valid, and reads them; its messages are the documented v1 ones."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from streams.sandbox import limits
from streams.sandbox.operation import Identifier, Operation, RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.track_v2 import read_event_id, read_timestamp

CIO_ID_PREFIX: Final = "cio_"
EVENT_TYPES: Final = ("page", "screen")


def read_path_identifier(segment: str) -> Identifier:
    """Read the person named in a path: percent-decoded once; `cio_…`, an e-mail address, or else an id."""
    try:
        text = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise RefusedError("identifier", "identifier in the path must be UTF-8") from None
    if limits.is_longer(text, limits.ID_BYTES_MAX):
        raise RefusedError("id", f"id attribute cannot be longer than {limits.ID_BYTES_MAX} bytes")
    if text.startswith(CIO_ID_PREFIX):
        return Identifier("cio_id", text.removeprefix(CIO_ID_PREFIX))
    return Identifier("email" if "@" in text else "id", text)


def read_identify(identifier: Identifier, body: object) -> Operation:
    """Read `PUT /customers/{identifier}`, whose body is the attributes themselves."""
    attributes = dict(_json_object(body))
    is_update_only = attributes.pop("_update", False) is True
    timestamp = _timestamp(attributes.pop("_timestamp", None), name="_timestamp")
    attributes.pop("cio_relationships", None)
    _refuse_identifiers(identifier, attributes)
    _refuse_attributes(attributes)
    return Operation(
        kind="person",
        action="identify",
        identifier=identifier,
        attributes=attributes,
        timestamp=timestamp,
        is_update_only=is_update_only,
    )


def read_event(identifier: Identifier, body: object, *, options: SandboxOptions) -> Operation:
    """Read `POST /customers/{identifier}/events`, whose fields are called `data` where v2 says `attributes`."""
    event = _json_object(body)
    data = event.get("data")
    data = {} if data is None else data
    if not isinstance(data, dict):
        raise RefusedError("data", "event data must be a hash")
    size = limits.json_bytes(data)
    if size is None or size > limits.DATA_BYTES_MAX:
        raise RefusedError("data", f"event data cannot be longer than {limits.DATA_BYTES_MAX} bytes")
    return Operation(
        kind="anonymous" if identifier.kind == "anonymous_id" else "person",
        action=str(event["type"]) if event.get("type") in EVENT_TYPES else "event",
        identifier=identifier,
        name=_event_name(event.get("name")),
        event_id=read_event_id(event.get("id"), options=options),
        attributes=data,
        timestamp=_timestamp(event.get("timestamp"), name="timestamp"),
    )


def read_anonymous_event(body: object, *, options: SandboxOptions) -> Operation:
    """Read `POST /events`: an event of somebody who is not identified yet, or of nobody (an invite)."""
    anonymous_id = _json_object(body).get("anonymous_id", "")
    if not isinstance(anonymous_id, str):
        raise RefusedError("anonymous_id", "anonymous_id must be a string value")
    if limits.is_longer(anonymous_id, limits.ID_BYTES_MAX):
        raise RefusedError("anonymous_id", f"anonymous_id cannot be longer than {limits.ID_BYTES_MAX} bytes")
    return read_event(Identifier("anonymous_id", anonymous_id), body, options=options)


def _refuse_identifiers(identifier: Identifier, attributes: Mapping[str, Any]) -> None:
    if "id" in attributes and identifier.kind == "id":
        if not isinstance(attributes["id"], str):
            raise RefusedError("id", "id attribute must be a string value")
        if not attributes["id"]:
            raise RefusedError("id", "id attribute cannot be an empty string")
        if attributes["id"] != identifier.value:
            raise RefusedError("id", "id attribute and identifier are not the same value")
    if not isinstance(attributes.get("email"), str | None):
        raise RefusedError("email", "email attribute must be a string value")


def _refuse_attributes(attributes: Mapping[str, Any]) -> None:
    if limits.json_bytes(attributes) is None:
        raise RefusedError("", "attributes are nested too deeply")
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


def _timestamp(value: object, *, name: str) -> int | None:
    try:
        return read_timestamp(value, field=name)
    except RefusedError as refused:
        raise RefusedError(name, f"{name} {refused.refusal.message}") from None


def _json_object(body: object) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise RefusedError("", "request body must be a JSON object")
    return body
