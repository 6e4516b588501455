"""`cio-streams audit`: proves that every input record has exactly one result. Reads options and reports."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import StreamsError
from streams.cli.dlq.screen import console
from streams.cli.input_topics import AUDITED, short_name
from streams.cli.when import point_in_time_ms
from streams.clock import now_ms
from streams.settings import load_settings

if TYPE_CHECKING:
    from streams.audit.audit import Progress


def audit(
    *,
    topic: Annotated[
        list[str] | None, typer.Option(help=f"Only this topic; may be repeated: {', '.join(AUDITED)}.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only records from then on: an age (90s, 2h, 7d) or a time.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Prove that every input record has exactly one result; exit 1 when one has none or several.

    A record that no worker has come to yet has none either; it is said how many these are.
    """
    since_ms = None if since is None else point_in_time_ms(since, now_ms=now_ms())
    settings = load_settings()
    topics = list(dict.fromkeys(short_name(each, settings, AUDITED) for each in topic or AUDITED))
    from streams.audit import report  # noqa: PLC0415 - Kafka's client takes a while to import
    from streams.audit.audit import audit as audit_topics  # noqa: PLC0415 - as above

    started = time.monotonic()
    with _shown_progress() as progress:
        findings = audit_topics(settings, topics, since_ms=since_ms, progress=progress)
    seconds = time.monotonic() - started
    if as_json:
        typer.echo(json.dumps(report.as_data(findings) | {"seconds": round(seconds, 3)}))
    else:
        console().print(report.as_table(findings))
        for line in report.as_lines(findings):
            typer.echo(line)
    if not findings.is_proven:
        raise StreamsError(report.as_complaint(findings))


@contextmanager
def _shown_progress() -> "Iterator[Progress]":
    """On a terminal, say what is being read."""
    from rich.console import Console  # noqa: PLC0415 - takes a while to import

    with Console(stderr=True).status("asking Kafka what there is …") as status:
        yield lambda place, seen: status.update(f"reading {place[0]}/{place[1]}: {seen:,} records so far")
