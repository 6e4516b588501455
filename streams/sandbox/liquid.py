"""Fills `{{ placeholders }}` of a template with values: paths and the filter `default`, nothing more of Liquid.

What it does not know, as `{% tags %}` and other filters, stays as it is written, and it says that something did.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

_NAME: Final = r"\w+(?:-\w+)*"
_PATH: Final = rf"[A-Za-z_]\w*(?:-\w+)*(?:\.{_NAME}|\[\d+\])*"
INDEX_DIGITS_MAX: Final = 6
_DEFAULT: Final = r"""\|\s*default:\s*(?:"(?P<double>[^"{}]*)"|'(?P<single>[^'{}]*)')\s*"""
_PLACEHOLDER: Final = re.compile(rf"\{{\{{-?\s*(?P<path>{_PATH})\s*(?:{_DEFAULT})?-?\}}\}}")
_STEP: Final = re.compile(r"[^.\[\]]+")
_LIQUID: Final = re.compile(r"\{\{|\{%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A text as it is sent: the `missing` are empty in it; when it is not whole, some Liquid is left in it."""

    text: str
    missing: tuple[str, ...] = ()
    is_whole: bool = True


def fill(text: str, values: Mapping[str, Any]) -> Filled:
    """Put the values into a text."""
    missing: dict[str, None] = {}

    def put(found: re.Match[str]) -> str:
        value = _look_up(values, found["path"])
        if value is not None and value != "":
            return _shown(value)
        default = found["double"] if found["double"] is not None else found["single"]
        if default is not None:
            return default
        if value is None:
            missing[found["path"]] = None
        return ""

    is_whole = _LIQUID.search(_PLACEHOLDER.sub("", text)) is None
    return Filled(text=_PLACEHOLDER.sub(put, text), missing=tuple(missing), is_whole=is_whole)


def _look_up(values: Mapping[str, Any], path: str) -> object:
    found: object = values
    for step in _STEP.findall(path):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and _is_index(step):
            found = found[int(step)] if int(step) < len(found) else None
        else:
            return None
    return found


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdecimal() and len(step) <= INDEX_DIGITS_MAX


def _shown(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
