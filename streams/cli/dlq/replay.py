"""`cio-streams dlq replay`: bring dead letters back to the workers, or only say what would become of them."""

from typing import Annotated, Literal

import typer

from streams.cli.dlq import options
from streams.cli.dlq.screen import insist_on_consent, login_name
from streams.settings import load_settings

_All = Annotated[bool, options.which("All that are open.", "--all")]
_Limit = Annotated[
    int | None,
    typer.Option("--limit", help="At most so many: partition by partition from 0 on, the oldest records first.", min=1),
]
_WhatIf = Annotated[bool, typer.Option("--what-if", help="Write nothing: say what would become of each.")]
_Against = Annotated[Literal["sandbox"] | None, typer.Option("--against", help="Ask also a stand-in for Customer.io.")]
_DecidedBefore = Annotated[
    str | None, typer.Option("--decided-before", help="With --again: not what was decided on since then.")
]
_Rate = Annotated[float | None, typer.Option("--rate", help="Letters per second.", min=0.001, callback=options.finite)]


def replay(  # noqa: PLR0913 - one parameter per option of the command line
    letters: options.LettersArgument = None,
    *,
    topic: options.TopicOption = None,
    partition: options.PartitionOption = None,
    offset: options.OffsetOption = None,
    reason: options.ReasonOption = None,
    status: options.StatusOption = None,
    user: options.UserOption = None,
    since: options.SinceOption = None,
    until: options.UntilOption = None,
    state: options.StateOption = None,
    everything: _All = False,
    limit: _Limit = None,
    what_if: _WhatIf = False,
    against: _Against = None,
    again: options.Again = False,
    decided_before: _DecidedBefore = None,
    force: options.Force = False,
    even_if_older: options.EvenIfOlder = False,
    even_if_sent: options.EvenIfSent = False,
    rate: _Rate = None,
    reason_note: options.Note = None,
    by: options.By = None,
    yes: options.Yes = False,
    reveal: options.Reveal = False,
    as_json: options.AsJson = False,
) -> None:
    """Replay dead letters: first what would become of them, then a question, then copies for the workers.

    Ctrl-C ends it between two transactions, and tells how to go on.
    """
    filters = options.Filters(topic, partition, offset, reason, status, user, since, until, state)
    selection = filters.selection(settings := load_settings(), letters)
    options.insist_on_choice(selection, everything=everything)
    insist_on_consent(yes=yes or what_if)
    before_ms = options.time_ms(decided_before, "--decided-before")
    from streams.cli.dlq.replay_run import ReplayRun, Rules, Terms  # noqa: PLC0415 - Kafka's client is slow to import

    flags = {"again": again, "force": force, "even_if_sent": even_if_sent}
    rules = Rules(replays_max=settings.max_replays, decided_before_ms=before_ms, **flags)
    terms = Terms(note=reason_note, even_if_older=even_if_older, even_if_sent=even_if_sent)
    run = ReplayRun(settings, selection, rules, terms, limit=limit, against=against, reveal=reveal, as_json=as_json)
    run.rehearse() if what_if else run.replay(by=by or login_name(), rate=rate, yes=yes)
