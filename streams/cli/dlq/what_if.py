"""How the `dlq` commands tell what a replay would do: a count of each verdict and the first letters, or JSON lines."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import typer
from rich.table import Table

from schemas.outcome import Outcome
from streams.cli.dlq.screen import console, letters_text, printable
from streams.dead_letters.choice import Choice
from streams.dead_letters.rehearsal import Rehearsed

ROWS_MAX: Final = 20

_WOULD: Final[Mapping[Outcome, str]] = {
    "delivered": "would be delivered",
    "duplicate": "would be duplicates",
    "superseded": "would be superseded",
    "skipped": "would be skipped",
    "dead": "would fail again",
}
_WHY_LEFT: Final = {
    "replayed": "were replayed already (--again replays them again)",
    "discarded": "were discarded (--again replays them all the same)",
    "uncertain": "may have gone out already (--even-if-sent sends them once more)",
    "parked": "are parked, for they were replayed too often (--force replays them all the same)",
}


class WhatIf:
    """Takes what was rehearsed, one by one; keeps counts and the first rows."""

    def __init__(self) -> None:
        self.verdicts: Counter[Outcome] = Counter()
        self._rows: list[tuple[str, ...]] = []

    def add(self, rehearsed: Rehearsed) -> None:
        """Take one."""
        self.verdicts[rehearsed.verdict] += 1
        if len(self._rows) < ROWS_MAX:
            letter = rehearsed.letter
            self._rows.append(
                (str(letter.name), printable(str(letter.origin)), letter.reason, printable(str(rehearsed)))
            )

    def show(self, *, is_sandboxed: bool, to_stderr: bool = False) -> None:
        """Print it for people."""
        out = console(stderr=to_stderr)
        if self._rows:
            out.print(self._table())
        more = self.verdicts.total() - len(self._rows)
        if more:
            out.print(f"… and {more} more")
        counts = ", ".join(f"{count} {_WOULD[verdict]}" for verdict, count in self.verdicts.most_common())
        out.print(letters_text(self.verdicts.total()) + (f": {counts}" if counts else ""), soft_wrap=True)
        if not is_sandboxed and self.verdicts["delivered"]:
            tell("Whether Customer.io would accept them was not asked: --against sandbox asks a stand-in")

    def _table(self) -> Table:
        table = Table("letter", "record", "was", "today it …", box=None, pad_edge=False)
        for row in self._rows:
            table.add_row(*row)
        return table


def tell(remark: str) -> None:
    """Say something that is no data."""
    typer.echo(remark, err=True)


def print_lines(rehearsed: Iterable[Rehearsed]) -> None:
    """Print one JSON object a line, as they come."""
    for each in rehearsed:
        print(as_json(each))  # noqa: T201 - data, a million lines of it perhaps


def as_json(rehearsed: Rehearsed) -> str:
    """One letter's verdict for programs."""
    return json.dumps(
        {
            "letter": str(rehearsed.letter.name),
            "verdict": rehearsed.verdict,
            "reason": rehearsed.reason,
            "detail": rehearsed.detail,
        },
        ensure_ascii=False,
    )


def tell_left(choice: Choice) -> None:
    """Remark on the letters that a replay does not take."""
    for state, left in choice.left.items():
        tell(f"{left.count} {_WHY_LEFT[state]}: {left}")
