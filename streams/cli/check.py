"""`cio-streams check`: would a worker with these settings work here? It asks everything and changes nothing."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import ConfigError, StreamsError
from streams.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from streams.webhooks.routes import Route


def check(*, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Check settings, Kafka, topics, and Customer.io's credentials and region; exit 1 with all faults at once."""
    try:
        settings = load_settings(needs_track=True)
    except SettingsError as error:
        faults = str(error).splitlines()
        with contextlib.suppress(SettingsError):  # without credentials Kafka can still be asked
            faults += _kafka_faults(load_settings())
    else:
        faults = [*_kafka_faults(settings), *_customerio_faults(settings)]
    if as_json:
        typer.echo(json.dumps({"ok": not faults, "faults": faults}))
    elif not faults:
        typer.echo("settings, Kafka, topics and Customer.io are as a worker needs them")
    else:
        for fault in faults:
            typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(1)


def _kafka_faults(settings: Settings) -> list[str]:
    from streams.kafka import topics  # noqa: PLC0415 - Kafka's client takes a while to import
    from streams.kafka.clients import connected_admin  # noqa: PLC0415 - as above
    from streams.webhooks.route_topics import missing_topics  # noqa: PLC0415 - as above

    routes, faults = _routes(settings)
    try:
        admin = connected_admin(settings)
        faults += [str(difference) for difference in topics.check(admin, settings)]
        return faults + missing_topics(admin, settings, routes)
    except StreamsError as error:
        return [*faults, " ".join(str(error).split())]


def _routes(settings: Settings) -> "tuple[Sequence[Route], list[str]]":
    from streams.webhooks.routes import load_routes  # noqa: PLC0415 - as above

    try:
        return load_routes(settings), []
    except ConfigError as error:
        return [], [" ".join(str(error).split())]


def _customerio_faults(settings: Settings) -> list[str]:
    from streams.customerio.app_check import app_fault, ask_app  # noqa: PLC0415 - as above, the HTTP client too
    from streams.customerio.region import ask_region, find_region  # noqa: PLC0415 - as above

    finding = find_region(asyncio.run(ask_region(settings)), settings)
    faults = [] if finding.kind == "right" else [finding.line]
    if settings.customerio_app_api_key is not None and (fault := app_fault(asyncio.run(ask_app(settings)), settings)):
        faults.append(fault)
    return faults
