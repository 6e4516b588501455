"""`cio-streams publish TOPIC FILE`: produce a JSON-lines file to an input topic. Reads options and reports."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import StreamsError
from streams.cli.input_topics import short_name
from streams.kafka import topic_plan
from streams.plural import so_many
from streams.settings import load_settings

if TYPE_CHECKING:
    from streams.publishing.publish import Published

ERRORS_SHOWN = 3


def publish(
    topic: Annotated[str, typer.Argument(help=f"One of {', '.join(topic_plan.INPUTS)}.")],
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="One record a line; - is standard input.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Produce each line of FILE to TOPIC as it is, keyed by what it says; exit 1 when one could not be written."""
    from streams.publishing.publish import publish as publish_lines  # noqa: PLC0415 - Kafka's client takes a while to import

    settings = load_settings()
    published = publish_lines(file, topic=short_name(topic, settings), settings=settings)
    typer.echo(json.dumps(asdict(published)) if as_json else describe(published))
    if published.failed or published.is_interrupted:
        raise StreamsError(describe_failure(published))


def describe(published: "Published") -> str:
    """Say in one line what was written."""
    counts = {
        "written": published.written,
        "failed": published.failed,
        "without key": published.without_key,
    }
    shown = [f"{count} {what}" for what, count in counts.items() if count or what == "written"]
    if published.empty:
        shown.append(so_many(published.empty, "empty line skipped", "empty lines skipped"))
    return f"{published.topic}: {', '.join(shown)}"


def describe_failure(published: "Published") -> str:
    """Say in one line what went wrong, with the first few lines that failed."""
    if not published.failed:
        return "Interrupted before the end of the file; what was read was written"
    reasons = [f"line {error.line}: {error.error}" for error in published.errors[:ERRORS_SHOWN]]
    more = published.failed - len(reasons)
    text = "; ".join(reasons) + (f"; and {more:,} more" if more else "")
    were = "was" if published.failed == 1 else "were"
    return (
        f"{published.failed:,} of {so_many(published.failed + published.written, 'record')} {were} not written ({text})"
    )
