"""Masks personal data in what is shown of a record: contents go, structure, types and rough lengths stay. Pure.

Shown as they are: ids, an event's name, a change's type, versions and times, each only if it looks like one.
"""

import re
from collections import Counter
from typing import Final, TypeAlias

from schemas.times import is_time

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

SHORT: Final = 3  # of a text as short as that even its ends are its content
NUMBER_DIGITS: Final = 7  # a longer number may be a telephone's, or a place on earth

_IDS: Final = frozenset(
    {
        *(("id",), ("user_id",), ("anonymous_id",), ("message_id",), ("trigger_id",), ("broadcast_id",)),
        *(("user", "id"), ("identifiers", "id"), ("identifiers", "anonymous_id"), ("transactional_message_id",)),
    }
)
_WORDS: Final = frozenset({("name",), ("action",), ("channel",)})
_TYPES: Final = frozenset({"user.upserted", "user.deleted", "person"})
_TIMES: Final = frozenset(
    {
        *(("occurred_at",), ("timestamp",), ("user", "created_at"), ("user", "createdAt")),
        *(("attributes", "created_at"), ("attributes", "last_seen_at")),
    }
)
_NUMBERS: Final = frozenset({("version",)})
_WORD: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,100}", re.ASCII)
_TOKEN: Final = re.compile(r"[^\s{}\[\]()<>\"'`,;]{0,64}")
_PATH_START: Final = re.compile(
    r"(?:(?:invalid|missing|unknown) )?"
    r"(?:(?:user|attributes|data|preferences|identifiers|cio_subscription_preferences|topics)\.)*"
)
_PATH_REST: Final = re.compile(r"[^\s{}\[\]()<>\"'`,;:]{0,200}")
_WRITTEN_TOGETHER: Final = re.compile(r"[^\s:;,\"'<>()]+")
_EMAIL: Final = re.compile(r".(?:@|%(?:25)*40).", re.DOTALL)  # also as it is written in an address of the web
_PHONE: Final = re.compile(r"\+?[\d\s().\-/]+", re.ASCII)
_PHONES: Final = re.compile(
    r"(?<![0-9a-z])(?:"
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # a UUID, whose digits may happen to be many;
    r"|[0-7][0-9a-hjkmnp-tv-z]{25}"  # a ULID; a hash
    r"|(?=\d*[a-f])[0-9a-f]{20,}"
    r")(?![0-9a-z])"
    r"|(?P<phone>\+\d[\d ().\-/]{5,}\d|\+?(?<!\d)\d{10,15}(?!\d))",
    re.ASCII | re.IGNORECASE,
)
"""Telephone numbers wherever they stand, `tel_447911123456` too; before them what takes the place of an ordinary id."""
_PHONE_DIGITS: Final = range(7, 16)
_PLAIN_PHONE_DIGITS: Final = 10  # fewer without any sign of a telephone are a number as any


def masked_text(text: str) -> str:
    """Keep the ends of a text and how long it is: `a***m (15)`."""
    if len(text) <= SHORT:
        return f"*** ({len(text)})"
    return f"{text[0]}***{text[-1]} ({len(text)})"


def outlined(text: str) -> str:
    """Text that is no JSON, as far as it may be shown: its marks stay, each letter is an x and each digit a 0."""
    return "".join("x" if letter.isalpha() else "0" if letter.isnumeric() else letter for letter in text)


def shown_id(text: str) -> str:
    """A person's id, or a name that publishers chose: as it is where it looks like one, and reaches nobody."""
    return text if _is_token(text) else masked_text(text)


def shown_message(text: str) -> str:
    """What a letter, or a result, says is wrong: as it is, but for names of fields that could hold personal data."""
    path, colon, fault = text.rpartition(": ")
    start = _PATH_START.match(path)
    rest = path[start.end() :] if start else path
    shown = (
        path
        if _PATH_REST.fullmatch(rest) and not _is_wholly_contact(rest)
        else path.removesuffix(rest) + masked_text(rest)
    )
    return f"{without_contacts(shown)}{colon}{without_contacts(fault)}"


def without_contacts(text: str) -> str:
    """A text that should hold no content, with the e-mail addresses and telephone numbers in it masked all the same."""
    mailless = _WRITTEN_TOGETHER.sub(lambda found: masked_text(found[0]) if _EMAIL.search(found[0]) else found[0], text)
    return _PHONES.sub(lambda found: masked_text(found[0]) if found["phone"] else found[0], mailless)


def masked(tree: Json, path: tuple[str, ...] = ()) -> Json:
    """A record's, or an operation's, JSON with the same structure: each value is at the place where it was."""
    if isinstance(tree, dict):
        return _masked_object(tree, path)
    if isinstance(tree, list):
        return [masked(value, (*path, "*")) for value in tree]
    if isinstance(tree, str):
        return tree if _is_shown(tree, path) else masked_text(tree)
    if isinstance(tree, bool) or tree is None:
        return tree
    return _masked_number(tree, path)


def _masked_object(tree: dict[str, Json], path: tuple[str, ...]) -> Json:
    shown: dict[str, Json] = {}
    seen: Counter[str] = Counter()
    for name, value in tree.items():
        label = shown_id(name)
        seen[label] += 1  # two addresses may look alike
        shown[_label(label, seen[label])] = masked(value, (*path, name))
    return shown


def _label(label: str, number: int) -> str:
    """What is shown of a name never ends so: those that look alike are apart from all others too."""
    return label if number == 1 else f"{label}'" if number == 2 else f"{label}'{number}"  # noqa: PLR2004 - the second


def _is_shown(text: str, path: tuple[str, ...]) -> bool:
    if path in _IDS:
        return _is_token(text)
    if path == ("type",):
        return text in _TYPES
    if path in _WORDS:
        return _WORD.fullmatch(text) is not None and not _is_contact(text)
    return path in _TIMES and is_time(text)


def _masked_number(number: float, path: tuple[str, ...]) -> Json:
    if path in _TIMES or path in _NUMBERS or (path in _IDS and not _is_contact(str(number))):
        return number
    digits = sum(letter.isdigit() for letter in str(number))
    return number if digits < NUMBER_DIGITS else f"*** (number, {digits} digits)"


def _is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None and text.isprintable() and not _is_contact(text)


def _is_contact(text: str) -> bool:
    return _is_wholly_contact(text) or any(found["phone"] for found in _PHONES.finditer(text))


def _is_wholly_contact(text: str) -> bool:
    if _EMAIL.search(text):
        return True
    digits = sum(letter.isdigit() for letter in text)
    if digits not in _PHONE_DIGITS or not _PHONE.fullmatch(text):
        return False
    return digits >= _PLAIN_PHONE_DIGITS or len(text) > digits or text.startswith("0")
