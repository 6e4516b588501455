"""However a record is made, masking lets no content of it through."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.dead_letters.explanation import explain
from streams.dead_letters.masking import masked, shown_id, shown_message, without_contacts
from streams.dead_letters.printed_json import lines
from streams.settings import Settings
from tests.letters import found, make_letter
from tests.unit.input_records import InputRecord

# Neither what masks are made of, nor letters that names of fields have.
PERSONAL = st.text(alphabet="ÀÉÎÕÜßØŁ@", min_size=4, max_size=30)
TREES = st.recursive(
    PERSONAL | st.integers(-9_999, 9_999) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(
    st.sampled_from(["email", "first_name", "plan", "attributes", "created_at"]), TREES, max_size=4
)
SHAPES = st.one_of(
    TREES,
    st.fixed_dictionaries({"type": st.just("user.upserted"), "user": FIELDS}),
    st.fixed_dictionaries({"name": PERSONAL, "data": TREES, "occurred_at": PERSONAL, "type": PERSONAL}),
)


def texts(tree: Any) -> set[str]:  # noqa: ANN401 - any JSON
    """All string values in it."""
    if isinstance(tree, dict):
        return set().union(*map(texts, tree.values()))
    if isinstance(tree, list):
        return set().union(*map(texts, tree))
    return {tree} if isinstance(tree, str) and tree != "user.upserted" else set()


@given(tree=SHAPES, header=PERSONAL, is_change=st.booleans())
def test_no_content_is_shown(tree: Any, header: str, *, is_change: bool) -> None:  # noqa: ANN401 - any JSON
    """In no part of the explanation, whatever the topic; the structure is that of the record."""
    settings = Settings()
    topic = "user-changes" if is_change else "domain-events"
    value = json.dumps(tree, ensure_ascii=False).encode()
    record = InputRecord(topic=topic, key=b"u-1", value=value, headers=[("h", header.encode())])
    explanation = explain(found(make_letter(record)), settings, [], reveal=False)
    shown = json.dumps(explanation.told(), ensure_ascii=False)

    assert [text for text in texts(tree) | {header} if text in shown] == []
    assert len(list(lines(explanation.value.tree))) == len(list(lines(tree)))


@given(
    before=st.text(alphabet="abc:_-/.+ (", max_size=8),
    number=st.text(alphabet="0123456789", min_size=10, max_size=15),
    behind=st.text(alphabet="abc:_-/.) ", max_size=8),
    path=st.sampled_from([("id",), ("name",), ("user", "id"), ("data", "x")]),
)
def test_no_telephone_number_is_shown(before: str, number: str, behind: str, path: tuple[str, ...]) -> None:
    """Whatever it is written together with: as an id, as a field's name, in a message."""
    text = f"{before}{number}{behind}"
    shown = (
        shown_id(text),
        shown_message(f"data.{text}: unknown field"),
        without_contacts(text),
        json.dumps([masked(text, path), masked({text: 1}, path)]),
    )

    assert [] == [each for each in shown if number in each]
