"""Customer.io's limits, in bytes of UTF-8, and how a value is measured against them; it judges nothing by itself."""

import re
from typing import Final

import orjson

BATCH_BYTES_MAX: Final = 500_000
ITEM_BYTES_MAX: Final = 32_000
DATA_BYTES_MAX: Final = 100_000
ID_BYTES_MAX: Final = 150
EVENT_NAME_BYTES_MAX: Final = 100
ATTRIBUTE_NAME_BYTES_MAX: Final = 150
ATTRIBUTE_VALUE_BYTES_MAX: Final = 1000
ATTRIBUTES_MAX: Final = 300

TIMESTAMP_MAX: Final = 99_999_999_999
"""Anything above is milliseconds by mistake; what Customer.io does with those is undocumented, we refuse them."""

UTF8_BYTES_PER_CHARACTER_MAX: Final = 4
ULID: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.IGNORECASE)


def is_longer(text: str, bytes_max: int) -> bool:
    """Whether `text` takes more than `bytes_max` bytes; encodes only what may."""
    return len(text) * UTF8_BYTES_PER_CHARACTER_MAX > bytes_max and len(text.encode()) > bytes_max


def is_larger(value: object, bytes_max: int) -> bool:
    """Whether an attribute's value is over `bytes_max`: a string by itself, a nested value as its JSON."""
    if isinstance(value, str):
        return is_longer(value, bytes_max)
    return isinstance(value, dict | list) and len(orjson.dumps(value)) > bytes_max


def json_bytes(value: object) -> int | None:
    """Return the size of `value` as JSON, or None when it is nested too deeply to be shown in any of our views."""
    try:
        return len(orjson.dumps([[[[value]]]])) - len("[[[[]]]]")
    except orjson.JSONEncodeError:
        return None
