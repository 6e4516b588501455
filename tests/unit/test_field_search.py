"""Which field of a record a letter's message is about, and which printed line that is."""

import pytest

from schemas.codec import Malformed, decode_user_change
from streams.dead_letters.explanation import names_at
from streams.dead_letters.field_search import find_field, names_key
from streams.dead_letters.masking import Json, masked
from streams.dead_letters.printed_json import lines

CHANGE: Json = {
    "type": "user.upserted",
    "user": {"id": "u-1", "email": 7, "attributes": {"city": "x", "a.b": [{"c": 1}]}, "plan": "gold"},
    "data": {"total": 1},
}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("user.email: must be a string", ["user", "email"]),
        ("user.attributes.city: over 1,000 bytes", ["user", "attributes", "city"]),
        ("user.attributes.a.b.0.c: integer beyond 64 bits", ["user", "attributes", "a.b", 0, "c"]),
        ("user.first_name: is missing", ["user"]),
        ("user: over 300 attributes", ["user"]),
        ("key and user.id differ", ["user", "id"]),
        ("invalid attributes.plan: no such plan", ["user", "plan"]),
        ("invalid attributes.city: too long", ["user", "attributes", "city"]),
        ("required identifiers.id: must be there", ["user", "id"]),
        ("attributes.total: no", ["data", "total"]),
        ("invalid email: in use", ["user", "email"]),
    ],
)
def test_the_field_is_found(message: str, expected: list[str | int]) -> None:
    """By our own path, or by the name that Customer.io knows it by; what is missing, by what it is missing in."""
    place = find_field(CHANGE, message)

    assert place is not None
    assert expected == names_at(CHANGE, place)


@pytest.mark.parametrize(
    "message", ["", "value: is not JSON (character 3)", "key: is not UTF-8", "HTTP 400", "nothing: no", "time-out"]
)
def test_a_message_about_no_field_finds_none(message: str) -> None:
    """Nor does it fail."""
    assert find_field(CHANGE, message) is None
    assert find_field([1], message) is None
    assert find_field("text", message) is None


def test_a_name_that_was_shortened_is_found() -> None:
    """A publisher may choose any name; the message has the first fifty characters."""
    name = "x" * 300 + "\n"
    value = b'{"type": "user.upserted", "user": {"id": "u-1", "%s\\n": 1}}' % (b"x" * 300)
    told = decode_user_change(value)
    tree: Json = {"type": "user.upserted", "user": {"id": "u-1", name: 1}}

    assert isinstance(told, Malformed)
    assert (1, 1) == find_field(tree, told.detail)


@pytest.mark.parametrize(
    ("message", "expected"), [("key: no", True), ("key and user_id differ", True), ("keys: x", False)]
)
def test_some_messages_are_about_the_key(message: str, *, expected: bool) -> None:
    """Then it is marked."""
    assert expected == names_key(message)


def test_each_line_knows_its_value() -> None:
    """Also in a masked copy: the places are the same."""
    tree: Json = {"a": [1, {"b": None}], "c": {}, "d@e.f": "x"}
    printed = list(lines(tree))

    assert [
        ("{", ()),
        ('  "a": [', (0,)),
        ("    1,", (0, 0)),
        ("    {", (0, 1)),
        ('      "b": null', (0, 1, 0)),
        ("    }", None),
        ("  ],", None),
        ('  "c": {},', (1,)),
        ('  "d@e.f": "x"', (2,)),
        ("}", None),
    ] == printed
    assert [place for _, place in lines(masked(tree))] == [place for _, place in printed]
