"""Python values as JSON: exact, or refused with the field's name."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from schemas.errors import InvalidInputError
from streams.messaging.strict_text import json_of


def test_what_json_has_is_written() -> None:
    """Times with their offset, UUIDs as text; null where null was meant."""
    value = {"at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "id": UUID(int=7), "list": (1, None, 2.5)}
    text = b'{"at":"2026-01-02T03:04:05+00:00","id":"00000000-0000-0000-0000-000000000007","list":[1,null,2.5]}'

    assert text == json_of(value)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"a": {"b": [0.5, math.nan]}}, "a.b.1: is no number that JSON knows"),
        ({"null": math.inf}, "null: is no number that JSON knows"),
        ({"a": Decimal(1)}, "value: Type is not JSON serializable: decimal.Decimal"),
        ({"a": {1: "x"}}, "value: Dict key must be str"),
        ({"a": 2**64}, "value: Integer exceeds 64-bit range"),
        ({"a": "\ud800"}, "value: str is not valid UTF-8: surrogates not allowed"),
    ],
)
def test_what_it_has_not_is_refused(value: Mapping[str, object], fault: str) -> None:
    """NaN would become null, and clear a field; no fault quotes content."""
    with pytest.raises(InvalidInputError) as caught:
        json_of(value)

    assert fault == str(caught.value)
