import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import dead_letter
from streams.dead_letters.erasure.rule import Person, Relation
from tests.replays import letter_of
from tests.unit.input_records import InputRecord


def value(**fields: object) -> bytes:
    """A record's value."""
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("key", "content", "expected"),
    [
        (b"u-1", b"anything", "theirs"),
        (b"u-1", None, "theirs"),
        (None, value(type="user.upserted", user={"id": "u-1"}), "theirs"),
        (b"u-2", value(user={"id": "u-1"}), "theirs"),  # key and id disagree: it holds the person's data, or both's
        (None, value(user_id="u-1", name="clicked"), "theirs"),
        (None, value(anonymous_id="u-1"), "theirs"),
        (None, value(identifiers={"id": "u-1"}), "theirs"),
        (None, value(user_id="u-2", anonymous_id="u-1"), "theirs"),
        (None, b'{"user": {"id": "\\u0075-1"}}', "theirs"),
        (None, b'{"user": {"id": "u-1", "email":', "likely"),  # cut off: it names nobody else
        (None, b"u-1;ada@example.com", "likely"),
        (b"\xff", b"u-1;ada@example.com", "likely"),
        (b"u-2", b'{"user": {"id": "u-1", "email":', "mentions"),
        (b"u-2", value(user={"id": "u-2", "attributes": {"friend": "u-1"}}), "mentions"),
        (None, value(user_id="u-2", data={"u-1": True}), "mentions"),
        (b"u-2", value(user_id="u-2", data={"text": "met\nu-1"}), "mentions"),
        (b"u-12", value(user_id="u-12"), "none"),
        (b"xu-1", value(user_id="xu-1"), "none"),
        (b"u-1-a", value(user_id="u-1-a"), "none"),
        (b"u-2", value(user_id="u-2"), "none"),
        (None, None, "none"),
    ],
)
def test_whose_a_record_is(key: bytes | None, content: bytes | None, expected: Relation) -> None:
    """By key, by the ids that it names, and when it names nobody by whether it holds the id."""
    assert expected == Person("u-1").relation(key, content)


def test_a_number_is_its_decimal_text() -> None:
    """As everywhere: publishers may write ids as integers."""
    person = Person("17")

    assert person.relation(None, b'{"user_id": 17}') == "theirs"
    assert person.relation(b"9", b'{"user_id": 9, "data": {"friends": [17]}}') == "mentions"
    assert person.relation(b"9", b'{"user_id": 9, "data": {"total": 170}}') == "none"


def test_headers_count() -> None:
    """Publishers put ids there too."""
    assert Person("u-1").relation(b"u-2", b"{}", [("by", None), ("actor", b"u-1")]) == "mentions"
    assert Person("u-1").relation(None, b"{}", [("actor", b"u-1")]) == "likely"


def test_our_own_headers_tell_nothing_but_what_operators_wrote() -> None:
    """A partition is not an id, the text of an edit may hold one."""
    ours = letter_of(InputRecord(partition=7))

    assert Person("7").relation(b"u-2", b"{}", ours) == "none"
    assert Person("7").relation(b"u-2", b"{}", [*ours, (dead_letter.EDIT_DIFF, b'- "id": 7')]) == "mentions"


@pytest.mark.parametrize(
    ("relation", "expected"), [("theirs", True), ("likely", True), ("mentions", False), ("none", False)]
)
def test_rather_one_too_many_is_erased(relation: Relation, *, expected: bool) -> None:
    """But what is another's only with them."""
    assert expected == Person("u-1").is_erased(relation)
    assert Person("u-1", with_mentions=True).is_erased(relation) == (relation != "none")


@given(user_id=st.text(min_size=1, max_size=20).filter(lambda text: not text.isspace()), is_ascii=st.booleans())
def test_json_may_spell_an_id_as_it_likes(user_id: str, *, is_ascii: bool) -> None:
    """With or without escapes, also those for the sake of HTML; in another's record it is a mention."""
    plain = json.dumps({"user_id": "somebody", "friend": user_id}, ensure_ascii=is_ascii)
    for written in (plain, plain.replace("/", "\\/"), plain.replace("<", "\\u003C").replace("+", "\\u002b")):
        assert Person(user_id).is_held(None, written.encode())
