"""`cio-streams report`: what became of messages and events. Reads options and prints what the warehouse says."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import ConfigError
from streams.cli.dlq.screen import console
from streams.settings import load_settings


def report(
    *,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one page with charts instead.")] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show personal data, which is masked otherwise.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what became of messages, events and records, from the warehouse that WAREHOUSE names."""
    if html is not None and as_json:
        raise typer.BadParameter("give either --html or --json")
    settings = load_settings()
    from streams.report import page, tell  # noqa: PLC0415 - rich takes a while to import
    from streams.report.gather import gather  # noqa: PLC0415 - as above
    from streams.warehouse.engines import open_reader  # noqa: PLC0415 - as above

    reader = open_reader(settings)
    try:
        found = gather(reader)
    finally:
        reader.close()
    if html is not None:
        _write(html, page.render(found, made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", reveal=reveal))
    elif as_json:
        typer.echo(json.dumps(tell.as_data(found, reveal=reveal)))
    else:
        for part in tell.as_tables(found, reveal=reveal):
            console().print(part)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    typer.echo(f"Written to {path}", err=True)
