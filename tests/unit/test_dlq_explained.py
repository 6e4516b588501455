"""How a letter is explained to a person: text that is no JSON, and what a replay would make of it."""

from io import StringIO

import orjson
import pytest
from rich.cells import cell_len
from rich.console import Console

from streams.cli.dlq.explained import COLUMNS_SHOWN, page
from streams.cli.dlq.what_if import told_of_replay
from streams.dead_letters.choice import LeftAs
from streams.dead_letters.edited import Edited
from streams.dead_letters.explanation import Explanation, explain
from streams.settings import Settings
from tests.letters import found, make_letter
from tests.unit.input_records import InputRecord

BROKEN = '{"user": {"id": "u-1",\n "email" "ada9@example.com"}}'
AT = BROKEN.index('"ada9')


def explained(text: str, at: int, *, reveal: bool) -> Explanation:
    """A letter whose value breaks at this character."""
    record = InputRecord(key=b"u-1", value=text.encode())
    letter = found(make_letter(record, "malformed", message=f"value: is not JSON (character {at})"))
    return explain(letter, Settings(), [], reveal=reveal)


def lines(explanation: Explanation, *, width: int = 300) -> list[str]:
    """What is printed."""
    output = StringIO()
    Console(file=output, width=width, markup=False, highlight=False).print(page(explanation, width=width))
    return [line.rstrip() for line in output.getvalue().splitlines()]


def test_text_that_is_no_json_is_shown_with_its_fault_marked() -> None:
    """Revealed as it is."""
    printed = lines(explained(BROKEN, AT, reveal=True))
    (at,) = [number for number, line in enumerate(printed) if "<- " in line]

    assert '  >  "email" "ada9@example.com"}}   <- value: is not JSON (character ' in printed[at]
    assert printed[at].index('"ada9') == printed[at + 1].index("^")


def test_text_that_is_no_json_keeps_its_form_when_masked() -> None:
    """Where a comma or a quote is missing can be seen, and nobody's data."""
    explanation = explained(BROKEN, AT, reveal=False)

    assert '{"xxxx": {"xx": "x-0",\n "xxxxx" "xxx0@xxxxxxx.xxx"}}' == explanation.told()["value_text"]
    assert "example" not in "\n".join(lines(explanation))


def test_of_a_long_line_what_is_around_the_fault_is_shown() -> None:
    """Not a megabyte."""
    printed = lines(explained(f"{'a' * 900_000}!{'b' * 900_000}", 900_000, reveal=True))
    (at,) = [number for number, line in enumerate(printed) if "<- " in line]

    assert printed[at].index("!") == printed[at + 1].index("^")
    assert max(map(len, printed)) < 2 * COLUMNS_SHOWN


@pytest.mark.parametrize(
    "before", ["", "a" * 20, "a" * 60, "a " * 40, "a" * 900, "ü" * 70, "語" * 35, "\U0001f600 " * 400]
)
@pytest.mark.parametrize("after", ["", "b" * 30, "b " * 900, "語" * 50])
def test_on_a_narrow_terminal_the_mark_stands_under_the_fault(before: str, after: str) -> None:
    """Of a line that has no room what stands around is shown, unbroken; wide characters take two columns."""
    printed = lines(explained(f"{before}!{after}", len(before), reveal=True), width=80)
    (at,) = [number for number, line in enumerate(printed) if line.strip() == "^"]
    fault = printed[at - 1]

    assert cell_len(fault[: fault.index("!")]) == printed[at].index("^")
    assert fault.startswith("  > ")
    assert max(map(cell_len, printed)) <= 80
    assert "<- value: is not JSON (character" in fault + printed[at + 1]


def test_on_a_narrow_terminal_a_field_has_its_fault_below() -> None:
    """Where both have no room in one line."""
    record = InputRecord(key=b"u-1", value=orjson.dumps({"user": {"id": "u-1", "plan": "x" * 50}}))
    letter = found(make_letter(record, "malformed", message="user.plan: must be one of the plans that there are"))
    explanation = explain(letter, Settings(), [], reveal=True)
    printed = lines(explanation, width=80)
    (at,) = [number for number, line in enumerate(printed) if '"plan"' in line]

    assert printed[at].startswith("  >     ")
    assert "    <- user.plan: must be one of the plans that there are" == printed[at + 1]
    assert f"{printed[at]}   {printed[at + 1].strip()}" in lines(explanation)


def test_an_edit_is_told_with_what_changed() -> None:
    """By whom, when, why, and the lines as they are given."""
    edited = Edited(replay="customerio-replay/0/3", by="ada", at="2026-11-22T10:00:00Z", note="typo", diff="-a\n+b")
    explanation = explain(found(make_letter(InputRecord(key=b"u-1"))), Settings(), [], edits=[edited], reveal=False)
    printed = lines(explanation)

    assert ["  as customerio-replay/0/3 at 2026-11-22T10:00:00Z by ada: typo", "    -a", "    +b"] == (
        printed[printed.index("what was edited") + 1 :][:3]
    )


@pytest.mark.parametrize(
    ("left_as", "expected"),
    [
        (None, "it would be delivered"),
        ("parked", "not taken: parked (--force); with that it would be delivered"),
        ("replayed", "not taken: replayed (--again); with that it would be delivered"),
    ],
)
def test_it_is_said_that_a_replay_would_leave_it(left_as: LeftAs | None, expected: str) -> None:
    """And by which option it would not."""
    assert expected == told_of_replay("would be delivered", left_as)
