"""JSON as strict as the contract: what two parsers could read differently is refused, never quietly changed."""

import orjson
from pydantic_core import from_json

from schemas.field_path import field_path

DEPTH_MAX = 32  # levels; the outermost object is the first
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**64 - 1  # what orjson reads and writes exactly

_TOO_DEEP = f"value: nested deeper than {DEPTH_MAX} levels"
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19  # what goes beyond 64 bits has at least 19 digits; a regex takes nine times as long to find it


class NotStrictJsonError(ValueError):
    """The value is not strict JSON; the message is a dead letter's detail and never quotes it."""


def parse_json(value: bytes) -> object:
    """Read UTF-8 JSON without BOM; of duplicate keys the last one counts.

    Raises:
        NotStrictJsonError: Broken JSON or UTF-8, lone surrogates, NaN, integers beyond 64 bits, `DEPTH_MAX` passed.
    """
    try:
        tree = orjson.loads(value)
    except orjson.JSONDecodeError as exc:
        raise NotStrictJsonError(_fault_of(value, exc)) from None  # the original carries the whole value
    if value.count(b"{") + value.count(b"[") > DEPTH_MAX and _is_too_deep(tree):
        raise NotStrictJsonError(_TOO_DEEP)
    if _LONG_NUMBER in value.translate(_DIGITS_ALIKE):
        _refuse_huge_integers(value)
    return tree


def canonical_json(tree: object) -> bytes:
    """Write UTF-8 JSON with sorted keys and no blanks: the same bytes for the same content."""
    return orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)


def _fault_of(value: bytes, exc: orjson.JSONDecodeError) -> str:
    if not value:
        return "value: is empty"
    if exc.msg.startswith("depth limit"):  # orjson's own, of 1,024
        return _TOO_DEEP
    try:
        value.decode()
    except UnicodeDecodeError as not_utf8:
        return f"value: is not UTF-8 (byte {not_utf8.start})"
    return f"value: is not JSON (character {exc.pos})"


def _is_too_deep(tree: object) -> bool:
    level = [tree]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _refuse_huge_integers(value: bytes) -> None:
    exact = from_json(value)  # orjson has read them as floats already; this parser keeps them whole
    try:
        orjson.dumps(exact)
    except orjson.JSONEncodeError:
        path = _path_of_huge_integer(exact, ()) or ()
        raise NotStrictJsonError(f"{field_path(*path)}: integer beyond 64 bits") from None


def _path_of_huge_integer(node: object, path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    if isinstance(node, int):
        return None if INTEGER_MIN <= node <= INTEGER_MAX else path
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = (_path_of_huge_integer(child, (*path, name)) for name, child in inner)
    return next((path for path in found if path is not None), None)
