"""`cio-streams check`: would a worker with these settings work here? It asks everything and changes nothing."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Annotated

import typer

from schemas.answer import Answer, NoAnswer
from schemas.errors import StreamsError
from streams.settings import Settings, SettingsError, load_settings

OK, UNAUTHORISED = 200, 401


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

    try:
        return [str(difference) for difference in topics.check(connected_admin(settings), settings)]
    except StreamsError as error:
        return [" ".join(str(error).split())]


def _customerio_faults(settings: Settings) -> list[str]:
    return list(region_faults(asyncio.run(_ask_region(settings)), settings=settings))


async def _ask_region(settings: Settings) -> Answer | NoAnswer:
    from streams.customerio.track import TrackClient  # noqa: PLC0415 - the HTTP client takes a while to import

    key = settings.customerio_track_api_key
    client = TrackClient(
        settings.track_url,
        site_id=settings.customerio_site_id or "",
        api_key=key.get_secret_value() if key else "",
        timeout_s=settings.request_timeout_s,
    )
    try:
        return await client.region()
    finally:
        await client.close()


def region_faults(answer: Answer | NoAnswer, *, settings: Settings) -> Iterator[str]:
    """Say what is wrong when Customer.io answers so to `GET /api/v1/accounts/region`."""
    where = f"Customer.io at {settings.track_url}"
    if isinstance(answer, NoAnswer):
        yield f"{where} cannot be reached ({answer.cause})"
    elif answer.status == UNAUTHORISED:
        yield f"{where} refuses CUSTOMERIO_SITE_ID and CUSTOMERIO_TRACK_API_KEY (401)"
    elif answer.status != OK:
        yield f"{where} answers with status {answer.status}: is this the right URL and region?"
    else:
        yield from _other_region(answer.body, settings=settings, where=where)


def _other_region(body: bytes, *, settings: Settings, where: str) -> Iterator[str]:
    try:
        region = json.loads(body)["region"]
    except (ValueError, KeyError, TypeError):
        yield f"{where} does not tell the account's region: is this Customer.io's Track API?"
        return
    if region != settings.customerio_region:
        actual = region if region in ("us", "eu") else "another one"
        yield f"CUSTOMERIO_REGION: is {settings.customerio_region}, but {where} says the account is in {actual}"
