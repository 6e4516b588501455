"""Whose a record is, when a person is to be erased: the one rule for all topics. It reads no topic.

A person's is what has the id as its key, and what names it as its person. What holds the id anywhere is likely theirs
when it names nobody, and only mentions them when it is somebody else's. To hold the id is to have it as a whole word in
key, value or a header's value, as publishers spell it in JSON: `u-1` is not in `u-12`, nor in `xu-1` or `u-1-a`.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from schemas.codec import claimed_ids
from schemas.dead_letter import EDIT_DIFF, EDITED_BY, REPLAY_NOTE, replay_texts, without_ours
from schemas.person_id import key_text
from schemas.record import Header

Relation: TypeAlias = Literal["theirs", "likely", "mentions", "none"]

_WORD: Final = rb"[A-Za-z0-9_\-\x80-\xff]"
_BEFORE: Final = rb"(?:(?<!%b)|(?<=\\[bfnrt]))" % _WORD  # a line break before the id ends with a letter in JSON
_AFTER: Final = rb"(?!%b)" % _WORD
_NEVER_ESCAPED: Final = re.compile(r"[A-Za-z0-9_.\-]+", re.ASCII)
_SHORT_ESCAPES: Final = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", '"': '"', "\\": "\\", "/": "/"}


class Person:
    """The person to be erased, `with_mentions`: together with what only mentions them."""

    def __init__(self, user_id: str, *, with_mentions: bool = False) -> None:
        self.id = user_id
        self._with_mentions = with_mentions
        self.key = user_id.encode()
        self._is_plain = _NEVER_ESCAPED.fullmatch(user_id) is not None
        self._pattern = re.compile(_BEFORE + b"".join(map(_spellings, user_id)) + _AFTER)

    def relation(self, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()) -> Relation:
        """Say what a record has to do with the person; `headers` are all that a letter or a replay has."""
        if key == self.key:
            return "theirs"
        named = claimed_ids(value)
        if self.id in named:
            return "theirs"
        if not self.is_held(key, value, _telling(headers)):
            return "none"
        return "mentions" if named or key_text(key) else "likely"

    def is_erased(self, relation: Relation) -> bool:
        """Whether records of this relation go: rather one too many than one too few."""
        return relation in {"theirs", "likely"} or (relation == "mentions" and self._with_mentions)

    def is_held(self, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()) -> bool:
        """Whether a record holds the id."""
        return any(map(self._is_in, (key, value, *(text for _, text in headers))))

    def _is_in(self, data: bytes | None) -> bool:
        if not data or (self._is_plain and self.key not in data):  # so most are settled, a hundred times as fast
            return False
        return self._pattern.search(data) is not None


def _telling(headers: Sequence[Header]) -> list[Header]:
    """The publisher's own, and what operators have written: our numbers and hashes are nobody's id."""
    added = replay_texts(headers)
    texts = [(name, added[name].encode()) for name in (REPLAY_NOTE, EDITED_BY, EDIT_DIFF) if name in added]
    return [*without_ours(headers), *texts]


def _spellings(character: str) -> bytes:
    """A pattern of all the ways in which a publisher's JSON may spell it; letters and digits have one."""
    raw = re.escape(character.encode())
    if _NEVER_ESCAPED.fullmatch(character):
        return raw
    units = character.encode("utf-16-be").hex()
    escaped = "".join(rf"\\u(?i:{units[at : at + 4]})" for at in range(0, len(units), 4)).encode()
    short = re.escape(("\\" + _SHORT_ESCAPES[character]).encode()) if character in _SHORT_ESCAPES else raw
    return b"(?:" + b"|".join(dict.fromkeys((short, escaped, raw))) + b")"
