"""`cio-streams webhooks`: receives Customer.io's reporting webhooks; `webhooks import` takes an export of them."""

import json
import os
import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import StreamsError
from streams.plural import so_many

if TYPE_CHECKING:
    from streams.webhooks.import_lines import Imported

FAILURES_SHOWN = 3

app = typer.Typer(help="Receive Customer.io's reporting webhooks, or import an export of them.")


@app.callback(invoke_without_command=True)
def receive(context: typer.Context) -> None:
    """Receive Customer.io's reporting webhooks and put them on Kafka, until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: os._exit(0))  # nothing has begun; the receiver takes its own signals later
    from streams.logs import configure  # noqa: PLC0415 - takes a while to import
    from streams.settings import load_settings  # noqa: PLC0415 - as above
    from streams.webhooks.serve import run_receiver  # noqa: PLC0415 - as above

    settings = load_settings()
    configure(settings)
    raise typer.Exit(run_receiver(settings))


@app.command("import")
def import_webhooks(
    path: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", exists=True, help="JSON lines; of a folder each such file, also .gz.")
    ],
    *,
    with_routes: Annotated[
        bool, typer.Option("--with-routes", help="Write routed records too: old ones come after newer ones then.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Put the webhooks of an export on Kafka as if they had been received; exit 1 when one could not be written."""
    from streams.settings import load_settings  # noqa: PLC0415 - takes a while to import
    from streams.webhooks.import_lines import find_files, import_files  # noqa: PLC0415 - as above
    from streams.webhooks.routes import load_routes  # noqa: PLC0415 - as above

    settings = load_settings()
    routes = load_routes(settings) if with_routes else []
    imported = import_files(find_files(path), settings, routes)
    typer.echo(json.dumps(asdict(imported)) if as_json else _describe(imported))
    if not with_routes:
        typer.echo("nothing was routed: an old status would come after a newer one (--with-routes does it)", err=True)
    if imported.failed or imported.is_interrupted:
        raise StreamsError(_describe_failure(imported))


def _describe(imported: "Imported") -> str:
    counts = {
        "written": imported.written,
        "of these not understood or too large": imported.with_fault,
        "failed": imported.failed,
        "routed": imported.routed,
        "empty lines skipped": imported.empty,
    }
    shown = [f"{count} {what}" for what, count in counts.items() if count or what == "written"]
    return f"{so_many(imported.files, 'file')}: {', '.join(shown)}"


def _describe_failure(imported: "Imported") -> str:
    if not imported.failed:
        return "Interrupted before the end; what was read was written"
    first = "; ".join(f"{each.file} line {each.line}: {each.error}" for each in imported.failures[:FAILURES_SHOWN])
    failed = so_many(imported.failed, "record was", "records were")
    return f"{failed} not written ({first}): import again, repeats are recognised by event id"
