"""Tells a report as data for programs, and as tables for people. Numbers; who somebody is only where wanted."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from streams.dead_letters.masking import masked_text
from streams.printable import printable
from streams.report.gather import Told, remarks
from streams.report.sections import Shown

NOTHING: Final = "-"
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


def as_data(report: Sequence[Told], *, reveal: bool) -> dict[str, Any]:
    """Every section by its name, with the names of the views' columns."""
    return {
        told.section.name: {
            "rows": [
                {column.name: _plain(row[column.name], column, reveal=reveal) for column in told.section.columns}
                for row in told.rows
            ],
            "is_cut": told.is_cut,
            "remarks": list(remarks(told)),
        }
        for told in report
    }


def as_tables(report: Sequence[Told], *, reveal: bool) -> Iterator[Table | Text]:
    """A table for each section that has rows, and its remarks."""
    for told in report:
        if not told.rows:
            continue
        table = Table(box=box.SIMPLE_HEAD, title=told.section.title, title_justify="left")
        for column in told.section.columns:
            table.add_column(column.heading, justify="left" if is_words(column) else "right", overflow="fold")
        for row in told.rows:
            table.add_row(*(Text(written(row[column.name], column, reveal=reveal)) for column in told.section.columns))
        yield table
        for remark in remarks(told):
            yield Text(f"  {remark}")
    if not any(told.rows for told in report):
        yield Text("Nothing has been loaded yet")


def written(value: object, column: Shown, *, reveal: bool) -> str:  # noqa: PLR0911 - one for each form
    """A value as a person reads it."""
    if value is None:
        return NOTHING
    match column.form:
        case "number":
            return f"{value:,}"
        case "seconds":
            return span_text(_number(value))
        case "share":
            return f"{_number(value):.1%}"
        case "time":
            return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else printable(str(value))
        case "person":
            return printable(_person(str(value), reveal=reveal))
        case "text":
            return printable(str(value))


def is_words(column: Shown) -> bool:
    """Whether it is read from the left."""
    return column.form in {"text", "person", "time"}


def span_text(seconds: float) -> str:
    """So long, in the unit that fits."""
    for unit_s, name in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if abs(seconds) >= unit_s:
            return f"{seconds / unit_s:.1f} {name}"
    return f"{seconds:.1f} s"


def _plain(value: object, column: Shown, *, reveal: bool) -> object:
    if isinstance(value, str):
        return _person(value, reveal=reveal) if column.form == "person" else value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return round(_number(value), 6) if column.form in {"seconds", "share"} and value is not None else value


def _person(text: str, *, reveal: bool) -> str:
    """Masked whatever it looks like: a report is passed on."""
    return text if reveal else masked_text(text)


def _number(value: object) -> float:
    return float(str(value))  # an engine may give decimals
