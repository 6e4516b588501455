"""Prints JSON line by line and says which value each line begins, so that one of them can be marked. Pure."""

import json
from collections.abc import Iterator
from typing import Final, NamedTuple

from streams.dead_letters.field_search import Position
from streams.dead_letters.masking import Json

INDENT: Final = "  "


class Line(NamedTuple):
    """A line, and the place of the value that begins on it; None where a value ends."""

    text: str
    position: Position | None


def lines(tree: Json) -> Iterator[Line]:
    """Yield the lines of the JSON text."""
    yield from _lines(tree, position=(), label="", tail="")


def _lines(tree: Json, *, position: Position, label: str, tail: str) -> Iterator[Line]:
    margin = INDENT * len(position)
    if not isinstance(tree, dict | list) or not tree:
        yield Line(f"{margin}{label}{json.dumps(tree, ensure_ascii=False)}{tail}", position)
        return
    opening, closing = "{}" if isinstance(tree, dict) else "[]"
    yield Line(f"{margin}{label}{opening}", position)
    children = tree.items() if isinstance(tree, dict) else ((None, child) for child in tree)
    for at, (name, child) in enumerate(children):
        shown = "" if name is None else f"{json.dumps(name, ensure_ascii=False)}: "
        yield from _lines(child, position=(*position, at), label=shown, tail="," if at < len(tree) - 1 else "")
    yield Line(f"{margin}{closing}{tail}", None)
