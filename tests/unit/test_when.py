"""Points in time as the command line takes them."""

import pytest
import typer

from streams.cli.when import point_in_time_ms

NOW_MS = 1_795_341_600_123


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", NOW_MS - 90_000),
        ("5m", NOW_MS - 300_000),
        ("2h", NOW_MS - 7_200_000),
        ("7d", NOW_MS - 604_800_000),
        ("0s", NOW_MS),
        ("999999999d", 0),
        ("1700000000", 1_700_000_000_000),
        ("2026-11-22T10:00:00Z", 1_795_341_600_000),
        ("2026-11-22T11:00:00.5+01:00", 1_795_341_600_500),
    ],
)
def test_ages_times_and_seconds_are_read(text: str, expected: int) -> None:
    """In unix milliseconds; an age never reaches beyond 1970."""
    assert expected == point_in_time_ms(text, now_ms=NOW_MS)


@pytest.mark.parametrize(
    "text", ["", "h", "-2h", "2 h", "2w", "1.5h", "yesterday", "2026-11-22", "1795341600123", "٢h"]
)
def test_what_is_none_of_these_is_refused(text: str) -> None:
    """The text says what was expected."""
    with pytest.raises(typer.BadParameter, match="90s, 2h or 7d"):
        point_in_time_ms(text, now_ms=NOW_MS)
