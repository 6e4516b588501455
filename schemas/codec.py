"""From a record's bytes to what it says, or to what is wrong with it. Never raises for what a publisher wrote."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from schemas.broadcast_trigger import BroadcastTrigger
from schemas.domain_event import DomainEvent
from schemas.field_path import field_path
from schemas.person_id import id_text, presentable
from schemas.strict_json import NotStrictJsonError, parse_json
from schemas.transactional_message import TransactionalMessage
from schemas.user_change import UserChange, UserDeleted, UserUpserted

T = TypeVar("T")

# The validators' own method: what TypeAdapter and BaseModel put around it costs a fifth of it.
_USER_CHANGE: Callable[[object], UserUpserted | UserDeleted] = TypeAdapter(UserChange).validator.validate_python
_DOMAIN_EVENT: Callable[[object], DomainEvent] = TypeAdapter(DomainEvent).validator.validate_python
_MESSAGE: Callable[[object], TransactionalMessage] = TypeAdapter(TransactionalMessage).validator.validate_python
_TRIGGER: Callable[[object], BroadcastTrigger] = TypeAdapter(BroadcastTrigger).validator.validate_python

_MESSAGES: Mapping[str, str] = {
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "extra_forbidden": "unknown field",
    "int_type": "must be an integer",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "string_type": "must be a string",
    "union_tag_invalid": "must be user.upserted or user.deleted",
    "union_tag_not_found": "must be user.upserted or user.deleted",
}
_SPELLED_TWICE: Mapping[str, str] = {
    "firstName": "given as first_name too",
    "lastName": "given as last_name too",
    "createdAt": "given as created_at too",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """What is wrong with a value: `detail` names the field, never its content; `user_id` where one can be read."""

    detail: str
    user_id: str | None = None


def decode_user_change(value: bytes) -> UserUpserted | UserDeleted | Malformed:
    """Read a value of `user-changes` that is not null."""
    return _decode(value, _USER_CHANGE)


def decode_domain_event(value: bytes) -> DomainEvent | Malformed:
    """Read a value of `domain-events` that is not null."""
    return _decode(value, _DOMAIN_EVENT)


def decode_transactional_message(value: bytes) -> TransactionalMessage | Malformed:
    """Read a value of `transactional-messages` that is not null."""
    return _decode(value, _MESSAGE)


def decode_broadcast_trigger(value: bytes) -> BroadcastTrigger | Malformed:
    """Read a value of `broadcast-triggers` that is not null."""
    return _decode(value, _TRIGGER)


def claimed_id(value: bytes | None) -> str | None:
    """The id of the person that a value names, whatever else is wrong with it; None where none can be read."""
    try:
        return _claimed_id(parse_json(value)) if value else None
    except NotStrictJsonError:
        return None


def claimed_ids(value: bytes | None) -> frozenset[str]:
    """Every id that a value names as its person's, however long; empty where it names nobody."""
    try:
        tree = parse_json(value) if value else None
    except NotStrictJsonError:
        return frozenset()
    return frozenset(_ids(tree)) if isinstance(tree, dict) else frozenset()


def _decode(value: bytes, validate: Callable[[object], T]) -> T | Malformed:
    try:
        tree = parse_json(value)
    except NotStrictJsonError as exc:
        return Malformed(detail=str(exc))
    try:
        return validate(tree)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        return Malformed(detail=_describe(first), user_id=_claimed_id(tree))


def _describe(fault: ErrorDetails) -> str:
    path = ("type",) if fault["type"].startswith("union_tag") else fault["loc"]
    if path[:1] in (("user.upserted",), ("user.deleted",)):  # the union's tag, not a field
        path = path[1:]
    return f"{field_path(*path)}: {_message(fault, path)}"


def _message(fault: ErrorDetails, path: tuple[int | str, ...]) -> str:
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])  # from our own validators, which never quote
    if fault["type"] == "extra_forbidden" and path[:-1] == ("user",):
        return _SPELLED_TWICE.get(str(path[-1]), "unknown field")
    if fault["type"] == "literal_error":
        return f"must be {fault['ctx']['expected']}"
    return _MESSAGES.get(fault["type"], "is not valid")


def _claimed_id(tree: Any) -> str | None:  # noqa: ANN401  # any JSON
    return presentable(next(_ids(tree), None)) if isinstance(tree, dict) else None


def _ids(tree: Mapping[str, Any]) -> Iterator[str]:
    user, identifiers = tree.get("user"), tree.get("identifiers")
    claims = (
        user.get("id") if isinstance(user, dict) else None,
        tree.get("user_id"),
        tree.get("anonymous_id"),
        identifiers.get("id") if isinstance(identifiers, dict) else None,  # a transactional message's
    )
    for claim in claims:
        with contextlib.suppress(ValueError):
            yield id_text(claim)
