"""A letter's value on its way through an editor."""

from dataclasses import replace
from typing import Final

import orjson
import pytest

from schemas.record import Stored
from streams.dead_letters.copies import Edit, Terms, copy_of
from streams.dead_letters.edited import edit_of
from streams.dead_letters.edits import DIFF_BYTES_MAX, DIFF_LINES_MAX, compact, difference, fault_of, pretty
from tests.unit.dead_letters import make_letter
from tests.unit.input_records import InputRecord, make_event, make_upsert

#: What another writing would change, if only a little: a twice-given name, a number that no double holds, …
DELICATE: Final = [
    *(b"", b"{", b"\xff", b"null", b'{"a": 1, "a": 2}', b'{"a": 1e999}', b'{"a": NaN}', b'"\\ud800"', b"[" * 5_000),
]


def test_json_is_shown_in_lines_and_put_back_without_blanks() -> None:
    """It says the same all the while, large integers and umlauts included."""
    value = '{"ü": [12345678901234567890123, 1.5], "b": null}'.encode()

    assert '{\n  "ü": [\n    12345678901234567890123,\n    1.5\n  ],\n  "b": null\n}\n'.encode() == pretty(value)
    assert '{"ü":[12345678901234567890123,1.5],"b":null}'.encode() == compact(value) == compact(pretty(value))


@pytest.mark.parametrize("value", DELICATE)
def test_what_could_change_is_left_as_it_is(value: bytes) -> None:
    """An editor then shows the bytes themselves."""
    assert (value, value) == (pretty(value), compact(value))


def replay_of(record: InputRecord) -> InputRecord:
    """The copy of the record's letter, as a worker reads it."""
    copy = copy_of(make_letter(record=record), Terms())
    headers = [(name, value or b"") for name, value in copy.headers]
    return replace(record, topic="staging.customerio-replay", value=copy.value, headers=headers)


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (make_upsert(key=b"u-1", plan="pro"), None),
        (make_upsert(key=b"u-1", plan=7), "malformed: user.plan: must be a string"),
        (make_upsert(key=b"u-2", plan="pro"), "malformed: key and user.id differ"),
        (make_upsert(key=b"u-1", plan="x" * 1_001), "too_large: user.plan: over 1000 bytes"),
        (make_event(key=b"u-1"), None),
        (make_event(key=b"u-1", data=[]), "malformed: data: must be an object"),
        (InputRecord(topic="customerio-webhooks", value=b"{}"), "malformed: headers: __dlq.errors.topic must name"),
    ],
)
def test_a_value_is_judged_as_by_a_worker(record: InputRecord, fault: str | None) -> None:
    """By the schema of the topic where the record was first, its key, and Customer.io's limits."""
    found = fault_of(replay_of(record))

    assert (found or "").startswith(fault or "")
    assert (fault is None) is (found is None)


def test_a_difference_shows_the_fields() -> None:
    """Of the values in lines, whatever their blanks were."""
    assert '--- before\n+++ after\n@@ -1,3 +1,3 @@\n {\n-  "a": 1\n+  "a": 2\n }' == difference(
        b'{"a":1}', b'{"a" : 2}'
    )
    assert "--- before\n+++ after\n@@ -0,0 +1 @@\n+{" == difference(None, b"{")


def test_a_masked_difference_shows_no_content() -> None:
    """But which fields changed, also where the change itself is hidden; names of fields are masked too."""
    before = {"user": {"id": "u-1", "email": "ada@example.com", "plan": "gold", "ada@example.com": 1, "age": 7}}
    after = {"user": {"id": "u-1", "email": "adb@example.com", "plan": "gold", "ada@example.com": 1, "age": "7"}}
    text = difference(orjson.dumps(before), orjson.dumps(after), is_masked=True)

    assert [
        *("--- before", "+++ after", "@@ -1,9 +1,9 @@", " {", '   "user": {', '     "id": "u-1",'),
        *('-    "email": "a***m (15)",', '+    "email": "a***m (15)",'),
        *('     "plan": "g***d (4)",', '     "a***m (15)": 1,'),
        *('-    "age": 7', '+    "age": "*** (1)"', "   }", " }"),
    ] == text.split("\n")


@pytest.mark.parametrize(
    "broken", [b'{"a": "secret"', b"secret\r\nsecret", b"\xffsecret", b"[" * 800 + b'"secret"' + b"]" * 800]
)
def test_a_masked_difference_of_what_is_no_json_shows_its_form(broken: bytes) -> None:
    """As `show` does."""
    shown = difference(broken, b'{"a": 1}', is_masked=True)

    assert shown.startswith(("--- before", "lines "))
    assert "secret" not in shown


def test_a_masked_difference_is_bounded() -> None:
    """As the other is."""
    long = difference(b"", orjson.dumps(["ü" * 100] * 1_000), is_masked=True)

    assert DIFF_BYTES_MAX - 8 < len(long.encode()) <= DIFF_BYTES_MAX


def test_equal_values_have_no_difference() -> None:
    """Not even a heading."""
    assert "" == difference(b'{"a": 1}', b'{"a":1}') == difference(None, b"")


def test_an_edit_is_read_from_its_replay() -> None:
    """Revealed as it was recorded, else masked; of a letter that is gone only the form is left."""
    letter = make_letter(record=make_upsert(key=b"u-1", plan="golden"))
    after = (letter.value or b"").replace(b"golden", b"silver")
    edit = Edit(value=after, by="ada", at="2026-11-22T11:00:00Z", diff=difference(letter.value, after))
    copy = copy_of(letter, Terms(note="typo"), edit)
    stored = Stored("p.customerio-replay", 3, 8, 0, copy.key, copy.value, copy.headers)
    revealed, masked, orphaned = (
        edit_of(stored, letter, reveal=True),
        edit_of(stored, letter, reveal=False),
        edit_of(stored, None, reveal=False),
    )

    assert revealed is not None
    assert masked is not None
    assert orphaned is not None
    assert ("p.customerio-replay/3/8", "ada", "2026-11-22T11:00:00Z", "typo") == (
        *(masked.replay, masked.by),
        *(masked.at, masked.note),
    )
    assert edit.diff == revealed.diff
    assert '+    "plan": "s***r (6)"' in masked.diff
    assert '+    "xxxx": "xxxxxx"' in orphaned.diff
    assert all(word not in masked.diff + orphaned.diff for word in ("golden", "silver"))


def test_a_plain_replay_is_no_edit() -> None:
    """It says what its letter says."""
    letter = make_letter(record=make_upsert(key=b"u-1"))
    copy = copy_of(letter, Terms(note="again"))

    assert edit_of(Stored("t", 3, 8, 0, copy.key, copy.value, copy.headers), letter, reveal=True) is None


def test_a_difference_is_bounded() -> None:
    """In bytes, and in the time that it takes."""
    long = difference(b"", orjson.dumps(["ü" * 100] * 100))
    many = difference(orjson.dumps(list(range(DIFF_LINES_MAX + 1))), orjson.dumps(["x"] * (DIFF_LINES_MAX + 1)))

    assert DIFF_BYTES_MAX - 8 < len(long.encode()) <= DIFF_BYTES_MAX
    assert long.endswith("\n… the rest is left out")
    assert "lines 2 to 2002 of 2003 were replaced by 2001" == many
