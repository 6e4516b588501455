"""`cio-streams audit`: proves that every input record has exactly one result. Reads options and reports."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from schemas.errors import StreamsError
from streams.cli.when import point_in_time_ms
from streams.settings import load_settings

if TYPE_CHECKING:
    from streams.audit.audit import Progress

AUDITED: Final = (
    "user-changes",
    "domain-events",
    "transactional-messages",
    "broadcast-triggers",
    "customerio-replay",
)
WIDTH: Final = 150  # where nobody looks at it, a table is not squeezed into a terminal's 80 columns


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
    now_ms = time.time_ns() // 1_000_000
    since_ms = None if since is None else point_in_time_ms(since, now_ms=now_ms)
    topics = _known(topic or AUDITED)
    settings = load_settings()
    from rich.console import Console  # noqa: PLC0415 - it and Kafka's client take a while to import

    from streams.audit import report  # noqa: PLC0415 - as above
    from streams.audit.audit import audit as audit_topics  # noqa: PLC0415 - as above

    started = time.monotonic()
    with _shown_progress() as progress:
        findings = audit_topics(settings, topics, since_ms=since_ms, progress=progress)
    seconds = time.monotonic() - started
    if as_json:
        typer.echo(json.dumps(report.as_data(findings) | {"seconds": round(seconds, 3)}))
    else:
        console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else WIDTH)
        console.print(report.as_table(findings))
        for line in report.as_lines(findings):
            typer.echo(line)
    if not findings.is_proven:
        raise StreamsError(report.as_complaint(findings))


def _known(topics: Sequence[str]) -> list[str]:
    """Each once; what is none of them is wrong usage."""
    unknown = [topic for topic in topics if topic not in AUDITED]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(AUDITED)}")
    return list(dict.fromkeys(topics))


@contextmanager
def _shown_progress() -> "Iterator[Progress]":
    """On a terminal, say what is being read."""
    from rich.console import Console  # noqa: PLC0415 - as above

    with Console(stderr=True).status("asking Kafka what there is …") as status:
        yield lambda place, seen: status.update(f"reading {place[0]}/{place[1]}: {seen:,} records so far")
