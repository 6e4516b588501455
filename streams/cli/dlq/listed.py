"""Lays out a list of letters for a person: one row for what repeats; no letter's name and no reason is ever cut off."""

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from streams.dead_letters.masking import shown_id, shown_message
from streams.dead_letters.rows import Fold, Row
from streams.plural import so_many
from streams.printable import printable

USER_CHARACTERS: Final = 16
WHY_CHARACTERS: Final = 40
"""With less room than that beside the others, why it is dead stands below."""

_HEADINGS: Final = ("letter", "failed (UTC)", "user", "state", "times", "record")
_GAP: Final = 2
_TIME: Final = slice(len("2026-11-22T"), len("2026-11-22T10:00:00"))
_DAY_AND_MINUTE: Final = slice(0, len("2026-11-22T10:00"))


def listed(folds: Sequence[Fold], *, width: int, now: str, reveal: bool) -> RenderableType:
    """Lay them out in so many columns; `now` is ISO 8601 in UTC, like the times that are shown."""
    rows = [[printable(cell) for cell in _cells(fold, now, reveal=reveal)] for fold in folds]
    reasons = [Text(printable(_why(fold.row, reveal=reveal))) for fold in folds]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    if sum(widths) + _GAP * len(widths) + WHY_CHARACTERS <= width:
        return _side_by_side(rows, reasons)
    lines: list[RenderableType] = [Text(_line(_HEADINGS, widths), style="bold")]
    for row, reason in zip(rows, reasons, strict=True):
        lines += [Text(_line(row, widths)), Padding(reason, (0, 0, 0, 2 * _GAP), expand=False)]
    return Group(*lines)


def _side_by_side(rows: Sequence[Sequence[str]], reasons: Sequence[Text]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for heading in _HEADINGS:
        table.add_column(heading, no_wrap=True, justify="right" if heading == "times" else "left")
    table.add_column("why", overflow="fold")
    for row, reason in zip(rows, reasons, strict=True):
        table.add_row(*map(Text, row), reason)
    return table


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return (" " * _GAP).join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cells(fold: Fold, now: str, *, reveal: bool) -> tuple[str, ...]:
    row = fold.row
    replays = f" ({so_many(row.replays, 'replay')})" if row.replays else ""
    user = row.user_id or "-"
    return (
        str(row.name),
        _when(row.failed_at, now),
        user if reveal else _short(user if row.user_id is None else shown_id(user)),
        row.state + replays,
        str(fold.times),
        str(row.origin),
    )


def _when(failed_at: str, now: str) -> str:
    """The time, if it was today, else the day and the minute."""
    is_today = failed_at[: _TIME.start] == now[: _TIME.start]
    return failed_at[_TIME] if is_today else failed_at[_DAY_AND_MINUTE].replace("T", " ")


def _short(user: str) -> str:
    return user if len(user) <= USER_CHARACTERS else f"{user[: USER_CHARACTERS - 1]}…"


def _why(row: Row, *, reveal: bool) -> str:
    status = "" if row.status is None else f" {row.status}"
    return f"{row.reason}{status}: {row.message if reveal else shown_message(row.message)}"
