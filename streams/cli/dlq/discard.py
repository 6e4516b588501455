"""`cio-streams dlq discard`: decide that letters are not to be delivered; they stay, and the decision says why."""

from typing import Annotated

import typer

from streams.cli.dlq import options
from streams.cli.dlq.screen import insist_on_consent, login_name
from streams.settings import load_settings

Why = Annotated[str, typer.Option("--reason-note", help="Why, for whoever looks later.", callback=options.short_text)]
Everything = Annotated[bool, options.which("All that are open or parked.", "--all")]


def discard(  # noqa: PLR0913 - one parameter per option of the command line
    letters: options.LettersArgument = None,
    *,
    reason_note: Why,
    topic: options.TopicOption = None,
    partition: options.PartitionOption = None,
    offset: options.OffsetOption = None,
    reason: options.ReasonOption = None,
    status: options.StatusOption = None,
    user: options.UserOption = None,
    since: options.SinceOption = None,
    until: options.UntilOption = None,
    state: options.StateOption = None,
    everything: Everything = False,
    by: options.By = None,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
) -> None:
    """Discard dead letters that are open or parked: a recorded decision, nothing is deleted."""
    if not reason_note.strip():
        raise typer.BadParameter("--reason-note is empty: say why")
    filters = options.Filters(
        topic=topic,
        partition=partition,
        offset=offset,
        reason=reason,
        status=status,
        user=user,
        since=since,
        until=until,
        state=state,
    )
    selection = filters.selection(settings := load_settings(), letters)
    options.insist_on_choice(selection, everything=everything)
    insist_on_consent(yes=yes)
    from streams.cli.dlq.discard_run import run  # noqa: PLC0415 - Kafka's client takes a while to import

    run(settings, selection, note=reason_note, by=by or login_name(), yes=yes, as_json=as_json)
