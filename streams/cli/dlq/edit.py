"""`cio-streams dlq edit LETTER`: give a dead letter other content and replay it, the edit recorded."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.dlq import options
from streams.cli.dlq.screen import insist_on_consent, login_name
from streams.settings import load_settings

_Out = Annotated[Path | None, typer.Option("--out", help="Only write the value to this file; - is standard output.")]
_In = Annotated[typer.FileBinaryRead | None, typer.Option("--in", help="Put this back, instead of an editor's.")]
_Check = Annotated[typer.FileBinaryRead | None, typer.Option("--check", help="Only judge this file as a worker would.")]


def edit(  # noqa: PLR0913 - one parameter per option of the command line
    letter: options.LetterArgument,
    *,
    out: _Out = None,
    source: _In = None,
    check: _Check = None,
    reason_note: options.Note = None,
    by: options.By = None,
    again: options.Again = False,
    force: options.Force = False,
    even_if_older: options.EvenIfOlder = False,
    even_if_sent: options.EvenIfSent = False,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
) -> None:
    """Edit a dead letter's value, in your editor or by way of a file, and put it back as a replay of the same letter.

    What is put back must be what a worker can send; who did it, when, why and what changed go with it.
    """
    if sum(given is not None for given in (out, source, check)) > 1:
        raise typer.BadParameter("--out, --in and --check go one at a time")
    name, settings = options.letter_name(letter), load_settings()
    if out is None and check is None:
        if not (reason_note or "").strip():
            raise typer.BadParameter("say why, in --reason-note")
        insist_on_consent(yes=yes)
    from streams.cli.dlq import edit_run  # noqa: PLC0415 - Kafka's client takes a while to import

    rules = edit_run.Rules(replays_max=settings.max_replays, again=again, force=force, even_if_sent=even_if_sent)
    terms = edit_run.Terms(note=reason_note, even_if_older=even_if_older, even_if_sent=even_if_sent)
    with edit_run.editing(settings, name, rules, terms, as_json=as_json) as run:
        if out is not None:
            run.take_out(out)
        elif check is not None:
            run.check(check)
        else:
            run.put_back(source, by=by or login_name(), yes=yes)
