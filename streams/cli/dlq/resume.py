"""`cio-streams dlq resume`: lets a topic's dead letters through for a while, although they are a flood."""

import json
from typing import Annotated, Final

import typer

from streams.cli.dlq import options
from streams.cli.dlq.screen import ask, insist_on_consent, login_name
from streams.cli.input_topics import short_name
from streams.cli.when import span_s
from streams.clock import now_ms
from streams.settings import load_settings

FOR_S_MAX: Final = 7 * 86_400


def resume(
    topic: Annotated[
        str | None, typer.Argument(metavar="TOPIC", help="Input topic; by default all of them, after a question.")
    ] = None,
    *,
    span: Annotated[str, typer.Option("--for", help="For how long: 90s, 1h, 7d (at most).")] = "1h",
    reason_note: options.Note = None,
    by: options.By = None,
    yes: options.Yes = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Let held lanes go on: write the dead letters of TOPIC, however many, for so long.

    Every worker hears of it within seconds, also one that starts later. It cannot be taken back before its end.
    """
    from agents.steps.report import iso_utc  # noqa: PLC0415 - --help and wrong usage answer at once
    from schemas.resume import Resume  # noqa: PLC0415 - as above
    from streams.delivery.resumes import write_resumes  # noqa: PLC0415 - Kafka's client takes a while to import
    from streams.kafka import topic_plan  # noqa: PLC0415 - as above
    from streams.kafka.clients import connected_admin  # noqa: PLC0415 - as above
    from streams.kafka.topics import require_partitions  # noqa: PLC0415 - as above

    settings = load_settings()
    at_ms, lasts_s = now_ms(), span_s(span, longest_s=FOR_S_MAX)
    topics = topic_plan.INPUTS if topic is None else (short_name(topic, settings),)
    if topic is None:
        insist_on_consent(yes=yes)
        ask(f"Let the dead letters of all topics through for {span}?", yes=yes)
    require_partitions(connected_admin(settings), settings, [topic_plan.DLQ_DECISIONS])
    word = Resume(until=iso_utc(at_ms + lasts_s * 1000), at=iso_utc(at_ms), by=by or login_name(), note=reason_note)
    write_resumes(settings, dict.fromkeys(topics, word))
    if as_json:
        typer.echo(json.dumps({"topics": [settings.topic(each) for each in topics], "until": word.until}))
    else:
        for each in topics:
            typer.echo(f"{settings.topic(each)}: dead letters are let through until {word.until}")
