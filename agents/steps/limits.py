"""Customer.io's limits, in bytes of UTF-8: what is over one is refused there for ever, so it is not sent at all.

Each function returns the dead letter's detail, or None. Cheap tests, which nearly every record passes, come first.
"""

from collections.abc import Collection, Mapping

import orjson

from schemas.field_path import field_path

ITEM_BYTES_MAX = 32_000
ID_BYTES_MAX = 150
EVENT_NAME_BYTES_MAX = 100
ATTRIBUTE_NAME_BYTES_MAX = 150
ATTRIBUTE_VALUE_BYTES_MAX = 1_000
ATTRIBUTES_MAX = 300

_UTF8_BYTES_MAX = 4  # of one character
_SHORT_NAME = ATTRIBUTE_NAME_BYTES_MAX // _UTF8_BYTES_MAX
_OWN_FIELDS = frozenset({"email", "first_name", "last_name", "plan"})


def id_over_limit(path: str, person_id: str) -> str | None:
    """Check the id of a person; `path` is where the record has it."""
    return f"{path}: over {ID_BYTES_MAX} bytes" if _is_over(person_id, ID_BYTES_MAX) else None


def name_over_limit(name: str) -> str | None:
    """Check the name of an event."""
    return f"name: over {EVENT_NAME_BYTES_MAX} bytes" if _is_over(name, EVENT_NAME_BYTES_MAX) else None


def item_over_limit(body: bytes) -> str | None:
    """Check an operation as sent."""
    return f"value: its operation is over {ITEM_BYTES_MAX} bytes" if len(body) > ITEM_BYTES_MAX else None


def attributes_over_limit(attributes: Mapping[str, object], *, custom: Collection[str], json_bytes: int) -> str | None:
    """Check the attributes of an identify as sent.

    `custom` are the names that the publisher chose; `json_bytes` is the size of JSON with every value but numbers.
    """
    if json_bytes <= ATTRIBUTE_VALUE_BYTES_MAX and (not custom or max(map(len, custom)) <= _SHORT_NAME):
        return None  # nor can 300 attributes be so short
    if len(attributes) > ATTRIBUTES_MAX:
        return f"user: over {ATTRIBUTES_MAX} attributes"
    faults = (_attribute_over_limit(name, value) for name, value in attributes.items())
    return next((fault for fault in faults if fault), None)


def _attribute_over_limit(name: str, value: object) -> str | None:
    if _is_over(name, ATTRIBUTE_NAME_BYTES_MAX):
        return f"{field_path('user', 'attributes', name)}: name over {ATTRIBUTE_NAME_BYTES_MAX} bytes"
    if _is_value_over(value):
        path = ("user", name) if name in _OWN_FIELDS else ("user", "attributes", name)
        return f"{field_path(*path)}: over {ATTRIBUTE_VALUE_BYTES_MAX} bytes"
    return None


def _is_value_over(value: object) -> bool:
    if isinstance(value, str):
        return _is_over(value, ATTRIBUTE_VALUE_BYTES_MAX)
    return isinstance(value, dict | list) and len(orjson.dumps(value)) > ATTRIBUTE_VALUE_BYTES_MAX


def _is_over(text: str, bytes_max: int) -> bool:
    return len(text) * _UTF8_BYTES_MAX > bytes_max and len(text.encode()) > bytes_max
