"""Takes what can be understood out of a JSON object, one field after the other; what is left goes into a JSON column.

A field that is not of the kind that is asked for, or too large, stays where it is: nothing is refused, nothing lost.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from streams.warehouse.texts import kept_tree

TEXT_CHARS_MAX: Final = 4_000
DEPTH_MAX: Final = 100
INTEGER_MAX: Final = 2**63 - 1
TIME_S_MAX: Final = 253_402_300_800
"""The year 10000: neither Python nor BigQuery knows it."""


class Fields:
    """The fields of one JSON object; those that are taken are gone from `rest`."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.rest = dict(tree)

    def text(self, name: str) -> str | None:
        """A text, or an integer's digits, that is not too long."""
        value = self.rest.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            del self.rest[name]
            return str(value)
        if isinstance(value, str) and 0 < len(value) <= TEXT_CHARS_MAX and "\0" not in value:
            del self.rest[name]
            return value
        return None

    def integer(self, name: str) -> int | None:
        """An integer of 64 bits."""
        value = self.rest.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > INTEGER_MAX:
            return None
        del self.rest[name]
        return value

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value = self.rest.get(name)
        if not isinstance(value, bool):
            return None
        del self.rest[name]
        return value

    def moment(self, name: str) -> int | None:
        """An ISO 8601 time with an offset, as unix microseconds."""
        value = self.rest.get(name)
        try:
            at = datetime.fromisoformat(value) if isinstance(value, str) else None
            micros = None if at is None or at.tzinfo is None else micros_of_s(at.timestamp())
        except (ValueError, OverflowError):
            return None
        if micros is not None:
            del self.rest[name]
        return micros

    def part(self, name: str) -> "Fields":
        """The fields of an object in it, which goes; none where it is no object, and then it stays."""
        value = self.rest.get(name)
        if not isinstance(value, dict):
            return Fields({})
        del self.rest[name]
        return Fields(value)

    def drop(self, *names: str) -> None:
        """Leave these out, whatever they are; and any that are null, for they say nothing."""
        self.rest = {name: value for name, value in self.rest.items() if name not in names and value is not None}

    def left(self) -> str | None:
        """What is left, as JSON without addresses; None where nothing is."""
        return orjson.dumps(kept_tree(self.rest)).decode() if self.rest else None


def micros_of_s(seconds: float) -> int | None:
    """Unix seconds as microseconds, where a calendar has them."""
    return round(seconds * 1_000_000) if 0 <= seconds < TIME_S_MAX else None


def micros_of_ms(milliseconds: int) -> int | None:
    """Unix milliseconds as microseconds, where a calendar has them; publishers may have given any."""
    return milliseconds * 1000 if 0 <= milliseconds < TIME_S_MAX * 1000 else None


def is_too_deep(value: bytes) -> bool:
    """Whether JSON is nested more deeply than every engine takes, at a glance: brackets in texts count as well."""
    if value.count(b"[") + value.count(b"{") <= DEPTH_MAX:
        return False
    depth = deepest = 0
    for byte in value:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest > DEPTH_MAX
