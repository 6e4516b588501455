"""Finds the field of a record that a letter's message is about: what the message begins with, else what it names."""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from schemas.field_path import field_path
from streams.dead_letters.masking import Json

Position: TypeAlias = tuple[int, ...]
"""Which child of the outermost value, which of that one's, and so on: the same in a masked copy."""

_KEY_DIFFERS: Final = re.compile(r"key and (.+) differ")
_SENT_AS: Final = {
    "attributes.": ("user.", "user.attributes.", "data."),
    "identifiers.": ("user.", "user_", ""),
    "": ("", "user.", "user.attributes.", "data."),
}


def find_field(tree: Json, message: str) -> Position | None:
    """The place of the field, or of what it is missing in; None when the message names none that is there."""
    differs = _KEY_DIFFERS.match(message)
    place, _ = _descend(tree, f"{differs[1]}:" if differs else message)
    if place:
        return place
    guessed = (_descend(tree, guess) for guess in _guesses(message))
    return next((place for place, is_reached in guessed if is_reached), None)


def names_key(message: str) -> bool:
    """Whether it is about the record's key."""
    return message.startswith("key:") or _KEY_DIFFERS.match(message) is not None


def _guesses(message: str) -> Iterator[str]:
    """Customer.io names what it was sent, behind a word of its own: `invalid attributes.plan: …`."""
    for word in message.partition(": ")[0].split():
        for sent, ours in _SENT_AS.items():
            if word.startswith(sent):
                yield from (f"{prefix}{word.removeprefix(sent)}:" for prefix in ours)


def _descend(tree: Json, text: str) -> tuple[Position, bool]:
    """As deep as the text leads, and whether that is all the way; names are shortened in it as in `field_path`."""
    names: tuple[str | int, ...] = ()
    place: list[int] = []
    while (step := _step(tree, names, text)) is not None:
        at, name, tree = step
        names = (*names, name)
        place.append(at)
    return tuple(place), bool(place) and text.startswith(f"{field_path(*names)}:")


def _step(tree: Json, names: tuple[str | int, ...], text: str) -> tuple[int, str | int, Json] | None:
    for at, (name, child) in enumerate(_children(tree)):
        path = field_path(*names, name)
        if text.startswith((f"{path}.", f"{path}:")):
            return at, name, child
    return None


def _children(tree: Json) -> Iterator[tuple[str | int, Json]]:
    if isinstance(tree, dict):
        yield from tree.items()
    elif isinstance(tree, list):
        yield from enumerate(tree)
