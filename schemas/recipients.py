"""How many people the recipients of an e-mail are, at least: for a limit, not to find out whether they are addresses.

Whatever a publisher wrote is gone through once, from left to right.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

_PIECE: Final = re.compile(r"\\.|[^\\\"()]+|.", re.DOTALL)
_IN_BRACKETS: Final = re.compile(r"<[^<>]*>")
_SEPARATOR: Final = re.compile(r"[,;]")
_ADDRESS: Final = "<>"
_QUOTED: Final = '"'


def recipient_count(text: str) -> int:
    """Count what commas and semicolons separate, and addresses that only blanks do.

    Comments count for nothing, what is quoted or in angle brackets is not looked into.
    """
    bare = _IN_BRACKETS.sub(f" {_ADDRESS} ", "".join(_bare(text)))
    return sum(_count(part.split()) for part in _SEPARATOR.split(bare))


def _bare(text: str) -> Iterator[str]:
    """The text without comments, and with a mark for what is quoted; what is not closed goes to the end."""
    depth, is_quoted = 0, False
    for found in _PIECE.finditer(text):
        piece = found[0]
        if is_quoted:
            is_quoted = piece != '"'
        elif piece == "(":
            depth += 1
        elif depth:
            depth -= piece == ")"
        elif piece == '"':
            is_quoted = True
            yield _QUOTED
        else:
            yield piece


def _count(words: list[str]) -> int:
    """How many recipients these are: a name in front of an address in brackets is one with it, even if it has an @."""
    pairs = pairwise([*words, ""])
    told = sum(word == _ADDRESS or ("@" in word and after != _ADDRESS) for word, after in pairs)
    return max(told, bool(words))
