"""How a list of letters is laid out: what an operator needs to go on is never cut off."""

from io import StringIO

import pytest
from rich.console import Console

from streams.cli.dlq.listed import listed
from streams.dead_letters.rows import Fold, row_of
from tests.letters import found, make_letter
from tests.unit.input_records import InputRecord, make_upsert

NOW = "2026-11-22T23:00:00.000Z"
MESSAGE = "user.attributes.plan: over 1000 bytes"


def printed(records: list[InputRecord], width: int, *, now: str = NOW, reveal: bool = False) -> list[str]:
    """The lines of a terminal of so many columns."""
    rows = [row_of(found(make_letter(each, "too_large", message=MESSAGE, offset=each.offset))) for each in records]
    output = StringIO()
    out = Console(file=output, width=width, markup=False, highlight=False)
    out.print(listed([Fold(row, [row.name]) for row in rows], width=width, now=now, reveal=reveal))
    return output.getvalue().splitlines()


def keyed(key: bytes, offset: int) -> InputRecord:
    """A record on a topic with a long name whose value names nobody."""
    return InputRecord(topic="staging.transactional-messages", partition=11, offset=offset, key=key, value=b"{")


@pytest.mark.parametrize("width", [80, 120, 200])
def test_names_and_reasons_are_whole_at_any_width(width: int) -> None:
    """Also beside one with a key of 150 characters."""
    text = "\n".join(printed([keyed(b"x" * 150, 1_234_567), keyed(b"u-1", 7)], width))

    assert "11/1234567 " in text
    assert "11/7 " in text
    assert text.count(f"too_large: {MESSAGE}") == 2


def test_a_usual_letter_takes_two_lines_of_eighty_columns() -> None:
    """And one where there is room."""
    assert 3 == len(printed([make_upsert(key=b"u-1")], 80))
    assert 2 == len(printed([make_upsert(key=b"u-1")], 200))


def test_a_long_id_is_cut_unless_it_is_revealed() -> None:
    """It would push everything else away."""
    key = b"550e8400-e29b-41d4-a716-446655440000"

    assert "550e8400-e29b-4…" in printed([keyed(key, 0)], 200)[1]
    assert key.decode() in printed([keyed(key, 0)], 200, reveal=True)[1]


@pytest.mark.parametrize(("now", "shown"), [(NOW, "  10:00:00  "), ("2026-11-23T00:00:00Z", "  2026-11-22 10:00  ")])
def test_the_day_is_told_unless_it_is_today(now: str, shown: str) -> None:
    """A time that fits."""
    assert shown in printed([make_upsert(key=b"u-1")], 80, now=now)[1]
