"""`cio-streams why`: the whole story of one record. Reads its place and prints what was found."""

import json
import re
from typing import Annotated, Final

import typer

from schemas.dead_letter import Origin
from streams.cli.dlq.screen import console
from streams.cli.input_topics import AUDITED, short_name
from streams.settings import Settings, load_settings

_PLACE: Final = re.compile(r"([A-Za-z0-9._-]+)/(\d{1,9})/(\d{1,18})", re.ASCII)


def why(
    place: Annotated[
        str, typer.Argument(metavar="TOPIC/PARTITION/OFFSET", help="As in user-changes/3/1042, also of a replay.")
    ],
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show personal data, which is masked otherwise.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell the whole story of one record: result, dead letters, replays, webhooks, what is remembered of its user."""
    settings = load_settings()
    asked = _read_place(place, settings)
    from streams.why import tell  # noqa: PLC0415 - rich and Kafka's client take a while to import
    from streams.why.find import find_story  # noqa: PLC0415 - as above
    from streams.why.reports import find_reports  # noqa: PLC0415 - as above

    story = find_story(settings, asked)
    sources = list(dict.fromkeys([story.place, *(result.source for result in story.results)]))
    reports = find_reports(settings, sources)
    if as_json:
        typer.echo(json.dumps(tell.as_data(story, reports=reports, reveal=reveal)))
    else:
        console().print(tell.as_table(story, reports=reports, reveal=reveal))


def _read_place(text: str, settings: Settings) -> Origin:
    found = _PLACE.fullmatch(text)
    if not found:
        raise typer.BadParameter(f"{text!r} is no place: expected TOPIC/PARTITION/OFFSET, such as user-changes/3/1042")
    topic = short_name(found[1], settings, AUDITED)
    return Origin(settings.topic(topic), int(found[2]), int(found[3]))
