"""`cio-streams dlq show`: explains dead letters one by one. Reads options and prints; explaining is another's."""

import json
from typing import Annotated

import typer

from streams.cli.dlq import options
from streams.cli.dlq.screen import console
from streams.settings import load_settings

Letters = Annotated[list[str], typer.Argument(metavar="LETTER", help="As PARTITION/OFFSET: 3/17.")]


def show(letters: Letters, *, reveal: options.Reveal = False, as_json: options.AsJson = False) -> None:
    """Explain dead letters: what each was, was sent as, got back, would come to now; marks the field at fault."""
    names = list(dict.fromkeys(options.letter_name(text) for text in letters))
    settings = load_settings()
    from streams.cli.dlq.explained import page  # noqa: PLC0415 - rich and Kafka's client take a while to import
    from streams.cli.dlq.opened import opened  # noqa: PLC0415 - as above
    from streams.cli.dlq.what_if import sentence, told_of_replay  # noqa: PLC0415 - as above
    from streams.dead_letters.choice import Rules  # noqa: PLC0415 - as above
    from streams.dead_letters.copies import Terms  # noqa: PLC0415 - as above
    from streams.dead_letters.look_up import look_up  # noqa: PLC0415 - as above
    from streams.dead_letters.rehearsal import Rehearsal  # noqa: PLC0415 - as above

    out, rules = console(), Rules(replays_max=settings.max_replays)
    insisting = Terms(even_if_sent=True)  # what is left is told as if it were taken
    with opened(settings) as found, Rehearsal(settings) as rehearsal:
        for explanation in look_up(found, names, settings, reveal=reveal):
            on_replay = sentence(next(rehearsal.rehearse([explanation.found.letter], insisting)), reveal=reveal)
            left_as = rules.leaves(explanation.found)
            if as_json:
                typer.echo(json.dumps({**explanation.told(), "taken": left_as is None, "on_replay": on_replay}))
            else:
                out.print(page(explanation, told_of_replay(on_replay, left_as), width=out.width))
