"""How the `dlq` commands tell what a replay would do: a count of each verdict and the first letters, or JSON lines."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import typer
from rich.table import Table

from schemas.outcome import Outcome
from streams.cli.dlq.screen import console
from streams.dead_letters.choice import Choice, LeftAs
from streams.dead_letters.masking import shown_message
from streams.dead_letters.rehearsal import Rehearsed
from streams.plural import so_many
from streams.printable import printable

ROWS_MAX: Final = 20

_WOULD: Final[Mapping[Outcome, tuple[str, str]]] = {
    "delivered": ("would be delivered",) * 2,
    "duplicate": ("would be a duplicate", "would be duplicates"),
    "superseded": ("would be superseded",) * 2,
    "skipped": ("would be skipped",) * 2,
    "dead": ("would fail again",) * 2,
}
_WHY_LEFT: Final = {
    "replayed": "replayed already (--again takes what was)",
    "discarded": "discarded (--again takes what was)",
    "done": "decided on since the time of --decided-before",
    "uncertain": "uncertain, for it may have gone out (--even-if-sent takes what may)",
    "parked": "parked, for replayed too often (--force takes what is)",
}
_TAKEN_WITH: Final[Mapping[LeftAs, str]] = {
    "replayed": "--again",
    "discarded": "--again",
    "done": "a later --decided-before",
    "uncertain": "--even-if-sent",
    "parked": "--force",
}


class WhatIf:
    """Takes what was rehearsed, one by one; keeps counts and the first rows, masked unless they are to be revealed."""

    def __init__(self, *, reveal: bool = False) -> None:
        self._reveal = reveal
        self.verdicts: Counter[Outcome] = Counter()
        self._rows: list[tuple[str, ...]] = []

    def add(self, rehearsed: Rehearsed) -> None:
        """Take one."""
        self.verdicts[rehearsed.verdict] += 1
        if len(self._rows) < ROWS_MAX:
            letter = rehearsed.letter
            self._rows.append(
                (
                    str(letter.name),
                    printable(str(letter.origin)),
                    letter.reason,
                    printable(sentence(rehearsed, reveal=self._reveal)),
                )
            )

    def show(self, *, is_sandboxed: bool, to_stderr: bool = False) -> None:
        """Print it for people."""
        out = console(stderr=to_stderr)
        if self._rows:
            out.print(self._table())
        more = self.verdicts.total() - len(self._rows)
        if more:
            out.print(f"… and {more:,} more")
        counts = ", ".join(so_many(count, *_WOULD[verdict]) for verdict, count in self.verdicts.most_common())
        out.print(so_many(self.verdicts.total(), "letter") + (f": {counts}" if counts else ""), soft_wrap=True)
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


def sentence(rehearsed: Rehearsed, *, reveal: bool) -> str:
    """What would become of a letter, as people may read it."""
    return str(rehearsed if reveal else masked_verdict(rehearsed))


def told_of_replay(on_replay: str, left_as: LeftAs | None) -> str:
    """The sentence on a letter, and that a replay does not take it as it is."""
    if left_as is None:
        return f"it {on_replay}"
    return f"not taken: {left_as} ({_TAKEN_WITH[left_as]}); with that it {on_replay}"


def masked_verdict(rehearsed: Rehearsed) -> Rehearsed:
    """The same, without names of fields that could be somebody's."""
    return replace(rehearsed, detail=rehearsed.detail and shown_message(rehearsed.detail))


def print_lines(rehearsed: Iterable[Rehearsed], *, reveal: bool) -> None:
    """Print one JSON object a line, as they come."""
    for each in rehearsed:
        print(as_json(each if reveal else masked_verdict(each)))  # noqa: T201 - data, a million lines of it perhaps


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
        tell(f"{so_many(left.count, 'letter')} left: {_WHY_LEFT[state]}: {left}")
