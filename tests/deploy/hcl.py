"""Terraform's files as blocks: parsed by a library, with nothing evaluated."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import hcl2
from hcl2.utils import SerializationOptions

TERRAFORM: Final = Path(__file__).parents[2] / "deploy" / "terraform"
MODULE: Final = TERRAFORM / "module"
ENVIRONMENTS: Final = sorted(path for path in (TERRAFORM / "environments").iterdir() if path.is_dir())
FOLDERS: Final = (MODULE, *ENVIRONMENTS)

_LABELS: Final = {"resource": 2, "data": 2, "variable": 1, "output": 1, "module": 1, "provider": 1}
_OPTIONS: Final = SerializationOptions(with_comments=False, strip_string_quotes=True)
_IS_BLOCK: Final = "__is_block__"

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Block:
    """One at the top of a file: `resource`, with its labels (`google_…`, its name), and what is between its braces."""

    kind: str
    labels: tuple[str, ...]
    body: Body

    def __str__(self) -> str:
        """As Terraform names it."""
        return ".".join((self.kind, *self.labels))


def parse(path: Path) -> dict[str, Any]:
    """A file of values, or of tests: as it is."""
    with path.open() as file:
        return hcl2.load(file, serialization_options=_OPTIONS)


@cache
def blocks(folder: Path) -> list[Block]:
    """All of a folder's `*.tf`."""
    return [block for path in sorted(folder.glob("*.tf")) for block in _blocks(parse(path))]


def of_kind(folder: Path, kind: str) -> dict[str, Body]:
    """Those of one kind, by their last label."""
    return {block.labels[-1]: block.body for block in blocks(folder) if block.kind == kind}


def attributes(body: Body) -> dict[str, Any]:
    """What is set by `name = value`."""
    return {
        name: value for name, value in body.items() if name not in (_IS_BLOCK, "dynamic") and not _are_blocks(value)
    }


def nested(body: Body) -> Iterator[tuple[str, Body]]:
    """The blocks within, those that `dynamic` makes too."""
    for name, value in body.items():
        if name == "dynamic":
            for made in value:
                for made_name, how in made.items():
                    yield from ((made_name, content) for content in how["content"])
        elif _are_blocks(value):
            yield from ((name, each) for each in value)


def texts(value: object) -> Iterator[str]:
    """Every text within, and so every expression."""
    match value:
        case str():
            yield value
        case Mapping():
            for name, each in value.items():
                yield str(name)
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)
        case _:
            pass  # a number, or true or false


def references(folder: Path, pattern: str) -> set[str]:
    """What its expressions name: the first group of each find, words within quotes excluded."""
    found = re.compile(rf"(?<![\w.\"-]){pattern}")
    return {match[1] for block in blocks(folder) for text in texts(block.body) for match in found.finditer(text)}


def _blocks(parsed: Mapping[str, Any]) -> Iterator[Block]:
    for kind, found in parsed.items():
        for body in found:
            yield from _labelled(kind, (), body)


def _labelled(kind: str, labels: tuple[str, ...], body: Body) -> Iterator[Block]:
    if len(labels) == _LABELS.get(kind, 0):
        yield Block(kind, labels, body)
        return
    for label, inner in body.items():
        yield from _labelled(kind, (*labels, label), inner)


def _are_blocks(value: object) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(each, dict) and _IS_BLOCK in each for each in value)
    )
