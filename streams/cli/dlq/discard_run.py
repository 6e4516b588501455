"""One run of `dlq discard`: finds the letters, asks, writes the decisions, and tells what came of it."""

import json

import typer

from agents.steps.report import iso_utc
from schemas.decision import Decision
from schemas.errors import StreamsError
from streams.cli.dlq.opened import opened
from streams.cli.dlq.screen import ask
from streams.clock import now_ms
from streams.dead_letters.discard import Discard, Discarded, Survey
from streams.dead_letters.look_up import UnknownLetterError, unknown
from streams.dead_letters.selection import Selection
from streams.plural import so_many
from streams.settings import Settings


def run(settings: Settings, selection: Selection, *, note: str, by: str, yes: bool, as_json: bool) -> None:
    """Discard what is open or parked; what is written by the time of an error is told all the same.

    Raises:
        StreamsError: one that was named is not there, and nothing was written; or it had been decided on.
        OvertakenError: somebody else has begun to decide on the same letters.
        UnavailableError: Kafka does not answer.
    """
    with opened(settings) as letters:
        work = Discard(settings, letters, selection)
        survey = work.look()
        if survey.missing:
            raise UnknownLetterError(f"{unknown(sorted(survey.missing))}; nothing was written")
        if survey.reasons:
            ask(_question(survey), yes=yes)
        at = iso_utc(now_ms())
        try:
            work.write(Decision(decision="discarded", at=at, by=by, note=note))
        finally:
            _tell(work.discarded, are_named=bool(selection.names), as_json=as_json)
        if selection.names and work.discarded.skipped_count:
            raise StreamsError("Not all letters that were named were discarded: the others had been decided on")


def _question(survey: Survey) -> str:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in survey.reasons.most_common())
    return f"Discard {so_many(survey.reasons.total(), 'letter')} ({reasons})?"


def _tell(discarded: Discarded, *, are_named: bool, as_json: bool) -> None:
    if as_json:
        skipped = [{"letter": str(name), "state": state} for name, state in discarded.skipped]
        told = {
            "discarded": discarded.count,
            "letters": [str(name) for name in discarded.first],
            "skipped": skipped,
            "skipped_count": discarded.skipped_count,
        }
        typer.echo(json.dumps(told))
        return
    typer.echo(f"letters discarded: {discarded.count:,}")
    if not are_named:
        if discarded.skipped_count:
            typer.echo(f"{so_many(discarded.skipped_count, 'letter was', 'letters were')} decided on before", err=True)
        return
    for name, state in discarded.skipped:
        typer.echo(f"{name} was skipped: it is {state}", err=True)
    more = discarded.skipped_count - len(discarded.skipped)
    if more:
        typer.echo(f"… and {so_many(more, 'more was', 'more were')} skipped", err=True)
