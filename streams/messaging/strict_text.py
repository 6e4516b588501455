"""From Python values to the JSON of a record: what cannot be written exactly is refused, never quietly changed."""

import math
from collections.abc import Iterable, Mapping

import orjson

from schemas.errors import InvalidInputError
from schemas.field_path import field_path


def json_of(value: Mapping[str, object]) -> bytes:
    """Write JSON; dates and times become ISO 8601, UUIDs text.

    Raises:
        InvalidInputError: a type that JSON has not, an integer beyond 64 bits, or a number that is none.
    """
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise InvalidInputError(f"value: {error}") from None  # orjson names types and rules, never content
    if b"null" in text and (path := _path_of_no_number(value, ())):
        raise InvalidInputError(f"{field_path(*path)}: is no number that JSON knows")
    return text


def _path_of_no_number(node: object, path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """Find NaN and the infinities, which orjson writes as null: that would clear a field."""
    if isinstance(node, float):
        return None if math.isfinite(node) else path
    found = (_path_of_no_number(inner, (*path, name)) for name, inner in _inner(node))
    return next((path for path in found if path), None)


def _inner(node: object) -> Iterable[tuple[str | int, object]]:
    if isinstance(node, Mapping):
        return node.items()
    return enumerate(node) if isinstance(node, list | tuple) else ()
