"""What is said of a record that is dead, without what that quotes of the record's content, or of our credentials."""

import re
from typing import Final

import orjson

HIDDEN: Final = "***"
WORD_CHARACTERS_MIN: Final = 4
_WORD: Final = re.compile(rf"[^\s\"'{{}}\[\]\\:,;=()<>]{{{WORD_CHARACTERS_MIN},}}")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_CREDENTIALS: Final = re.compile(r"\b(basic|bearer)\s+\S+", re.IGNORECASE)


def unquoted(detail: str, value: bytes | None) -> str:
    """The same text; each word that is one of the record's contents is hidden, and of the last one also a part.

    Names of fields stay where they look like names.
    """
    detail = _CREDENTIALS.sub(rf"\1 {HIDDEN}", detail)
    contents = _words(value)

    def shown(found: re.Match[str]) -> str:
        word = found[0].lower()
        is_cut = found.end() == len(detail) and any(each.startswith(word) for each in contents)
        return HIDDEN if word in contents or is_cut else found[0]

    return _WORD.sub(shown, detail) if contents else detail


def _words(value: bytes | None) -> set[str]:
    try:
        texts = _texts(orjson.loads(value or b"null"))
    except orjson.JSONDecodeError:
        return set()
    return {word.lower() for text in texts for word in _WORD.findall(text)}


def _texts(tree: object) -> list[str]:
    """All texts, and the names of fields that are none of a program's."""
    left, found = [tree], list[str]()
    while left:
        each = left.pop()
        if isinstance(each, dict):
            found += [name for name in each if not _PLAIN_NAME.fullmatch(name)]
            left += each.values()
        elif isinstance(each, list):
            left += each
        elif isinstance(each, str):
            found.append(each)
    return found
