"""Asks the warehouse for every section of a report, a bounded number of rows each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from streams.report.sections import SECTIONS, Section
from streams.warehouse.dialect import JOIN_WINDOW_S
from streams.warehouse.port import Found, WarehouseReader

ROWS_MAX: Final = 200
"""A section shows so many; it says when there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A section with its rows, the highest first; `is_cut` when there are more."""

    section: Section
    rows: Sequence[Found]
    is_cut: bool


def gather(reader: WarehouseReader) -> list[Told]:
    """Ask for all of them.

    Raises:
        UnavailableError: there is no warehouse, or it does not answer.
    """
    return [_ask(reader, section) for section in SECTIONS]


def remarks(told: Told) -> Iterator[str]:
    """What somebody must know who reads a section."""
    if told.is_cut and told.section.newest is None:
        yield f"only the first {len(told.rows)}: the view {told.section.view} has them all"
    joins = {row["joined_by"] for row in told.rows if "joined_by" in row}
    if "person and time" in joins:
        yield (
            "known by person and time: a guess, the person's last event that was delivered at most"
            f" {JOIN_WINDOW_S // 60} minutes before the message; Customer.io's webhook did not name it"
        )
    if joins == {"person and time"}:
        yield (
            "no webhook named an event of ours: that Customer.io puts the event's own id into trigger_event_id is"
            " likely, but nowhere promised"
        )


def _ask(reader: WarehouseReader, section: Section) -> Told:
    limit = section.newest or ROWS_MAX
    found = reader.read(section.view, newest_by=section.order, limit=limit + 1)
    return Told(section=section, rows=found[:limit], is_cut=len(found) > limit)
