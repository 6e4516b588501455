"""How a letter is explained to a person: text that is no JSON, and what a replay would make of it."""

from io import StringIO

import pytest
from rich.console import Console

from streams.cli.dlq.explained import COLUMNS_SHOWN, page
from streams.cli.dlq.what_if import told_of_replay
from streams.dead_letters.choice import LeftAs
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


def lines(explanation: Explanation) -> list[str]:
    """What is printed."""
    output = StringIO()
    Console(file=output, width=300, markup=False, highlight=False).print(page(explanation))
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
    assert "ada" not in "\n".join(lines(explanation))


def test_of_a_long_line_what_is_around_the_fault_is_shown() -> None:
    """Not a megabyte."""
    printed = lines(explained(f"{'a' * 900_000}!{'b' * 900_000}", 900_000, reveal=True))
    (at,) = [number for number, line in enumerate(printed) if "<- " in line]

    assert printed[at].index("!") == printed[at + 1].index("^")
    assert max(map(len, printed)) < 2 * COLUMNS_SHOWN


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
