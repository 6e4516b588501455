"""One run of `dlq replay`: finds the letters, rehearses them, asks, replays, and tells of each step."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agents.steps.report import iso_utc
from schemas.errors import StreamsError
from streams.cli.dlq.opened import opened
from streams.cli.dlq.screen import ask, console
from streams.cli.dlq.what_if import WhatIf, print_lines, tell, tell_left
from streams.clock import now_ms
from streams.dead_letters.choice import Choice, Rules
from streams.dead_letters.copies import Terms
from streams.dead_letters.letters import Letters
from streams.dead_letters.look_up import UnknownLetterError, unknown
from streams.dead_letters.pace import Pace
from streams.dead_letters.rehearsal import Rehearsal
from streams.dead_letters.replay import Replay, Tally
from streams.dead_letters.selection import Selection
from streams.dead_letters.waiting import waiting
from streams.plural import so_many
from streams.settings import Settings

__all__ = ["ReplayRun", "Rules", "Terms"]

PLACES_TOLD: Final = 5


class ReplayRun:
    """The letters of `selection`, at most `limit` of them, by `rules` and on `terms`."""

    def __init__(
        self,
        settings: Settings,
        selection: Selection,
        rules: Rules,
        terms: Terms,
        *,
        limit: int | None,
        against: Literal["sandbox"] | None,
        reveal: bool,
        as_json: bool,
    ) -> None:
        self._settings = settings
        self._started_ms = now_ms()
        self._until_ms = self._started_ms if selection.until_ms is None else selection.until_ms
        self._are_named = bool(selection.names)
        self._rules = rules
        self._limit = limit
        self._terms = terms
        self._choice = Choice(selection, rules, limit=limit)
        self._against_sandbox = against == "sandbox"
        self._reveal = reveal
        self._as_json = as_json

    def rehearse(self) -> None:
        """Say what would become of each letter, and write nothing.

        Raises:
            StreamsError: a letter does not exist, or Kafka does not answer.
        """
        with opened(self._settings) as letters:
            self._rehearse(letters, prints_lines=self._as_json)
        self._tell_waiting()
        self._refuse_missing()

    def replay(self, *, by: str, rate: float | None, yes: bool) -> None:
        """Say what would become of the letters, ask, and replay them.

        Raises:
            StreamsError: a letter does not exist, or not where it lay, it was interrupted, somebody else is at it,
                Kafka does not answer.
        """
        with opened(self._settings) as letters:
            what_if = self._rehearse(letters)
            self._refuse_missing()
            if question := self._question():
                ask(question, yes=yes)
            with Pace(rate) as pace:
                replay = Replay(self._settings, letters, terms=self._terms, by=by, pace=pace, clock_ms=now_ms)
                try:
                    with self._progress() as observe:
                        replay.run(self._choice, observe)
                except StreamsError:
                    if self._rules.again or self._limit is not None:  # else what the error says is enough
                        tell(f"To go on, {self._how_to_go_on(replay.tally)}")
                    raise
                finally:
                    self._tell(replay.tally, what_if, is_interrupted=pace.is_over)
        if pace.is_over and self._is_left(replay.tally):
            said = f"Interrupted after {so_many(replay.tally.replayed, 'letter')}"
            raise StreamsError(f"{said}: {self._how_to_go_on(replay.tally)}")
        self._refuse_left()

    def _rehearse(self, letters: Letters, *, prints_lines: bool = False) -> WhatIf:
        what_if = WhatIf(reveal=self._reveal)
        self._choice.look(letters)
        with Rehearsal(self._settings, against_sandbox=self._against_sandbox) as rehearsal:
            rehearsed = rehearsal.rehearse(self._choice.letters(letters), self._terms)
            if prints_lines:
                print_lines(rehearsed, reveal=self._reveal)
                tell_left(self._choice)
                return what_if
            for each in rehearsed:
                what_if.add(each)
        what_if.show(is_sandboxed=self._against_sandbox, to_stderr=self._as_json)
        tell_left(self._choice)
        return what_if

    def _tell_waiting(self) -> None:
        partitions = [partition for partition, each in self._choice.partitions.items() if each.replays.offsets]
        if partitions and (places := waiting(self._settings, partitions)):
            more = f" and {len(places) - PLACES_TOLD} more" if len(places) > PLACES_TOLD else ""
            tell(f"Records still wait for workers on {', '.join(places[:PLACES_TOLD])}{more}: they may change this")

    def _refuse_left(self) -> None:
        """What was named and is not to be replayed is a mistake of whoever named it; the others have been replayed."""
        if self._are_named and self._choice.left:
            raise StreamsError(f"Not replayed, as said: {', '.join(map(str, self._choice.left.values()))}")

    def _is_left(self, tally: Tally) -> bool:
        return sum(asdict(tally).values()) < self._choice.count + self._choice.parked and self._room(tally) != 0

    def _room(self, tally: Tally) -> int | None:
        return None if self._limit is None else self._limit - tally.replayed - tally.skipped

    def _how_to_go_on(self, tally: Tally) -> str:
        """What has failed again by then has been replayed: it is another letter, behind the end of this run."""
        more = [] if self._are_named else [f"--until {iso_utc(self._until_ms)}"]
        if self._rules.again:
            before_ms = self._rules.decided_before_ms
            more.append(f"--decided-before {iso_utc(self._started_ms if before_ms is None else before_ms)}")
        if self._limit is not None:
            more.append(f"--limit {self._room(tally)}")
        return " ".join(["run it again", *["with"][: len(more)], *more, "for the rest"])

    def _refuse_missing(self) -> None:
        if missing := sorted(self._choice.missing):
            raise UnknownLetterError(f"{unknown(missing)}; nothing was written")

    def _question(self) -> str | None:
        count, parked = self._choice.count, self._choice.parked
        what = [f"replay {so_many(count, 'letter')}"] * bool(count) + [
            f"write down that {so_many(parked, 'letter is', 'letters are')} parked"
        ] * bool(parked)
        return " and ".join(what).capitalize() + "?" if what else None

    @contextmanager
    def _progress(self) -> Iterator[Callable[[Tally], None]]:
        out, total = console(stderr=True), self._choice.count + self._choice.parked
        columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=out, disable=not out.is_terminal or not total, transient=True) as progress:
            task = progress.add_task("", total=total)
            yield lambda tally: progress.update(task, completed=sum(asdict(tally).values()))

    def _tell(self, tally: Tally, what_if: WhatIf, *, is_interrupted: bool) -> None:
        if self._as_json:
            left: dict[str, int] = {state: each.count for state, each in self._choice.left.items()}
            told: dict[str, Any] = {"selected": self._choice.count, **asdict(tally), "left": left}
            typer.echo(json.dumps({**told, "what_if": dict(what_if.verdicts), "is_interrupted": is_interrupted}))
        else:
            typer.echo(f"{tally.replayed:,} of {so_many(self._choice.count, 'letter')} replayed{_also(tally)}")


def _also(tally: Tally) -> str:
    parked = f", {tally.parked:,} parked" if tally.parked else ""
    skipped = so_many(tally.skipped, "was", "were")
    return parked + (f", {skipped} decided on by somebody else meanwhile" if tally.skipped else "")
