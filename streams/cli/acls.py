"""`cio-streams acls`: what to allow each role on Kafka, ready for a shell; it asks no cluster."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from streams.kafka.roles import Role, rights_of, shell_lines
from streams.settings import load_settings

Principal = Annotated[
    str,
    typer.Option(metavar="User:NAME", help="Who it is to Kafka; with a certificate its whole subject: User:CN=…"),
]


def acls(
    role: Annotated[Role, typer.Argument(help="Whose process or command it is.", show_default=False)],
    *,
    principal: Principal,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print what allows the least that a role needs, with these APP_ID, TOPIC_PREFIX and routes; for kafka-acls.sh."""
    from streams.webhooks.routes import load_routes  # noqa: PLC0415 - takes a while to import

    settings = load_settings()
    rights = rights_of(role, routed=sorted({route.topic for route in load_routes(settings)}))
    if as_json:
        told = [asdict(right) | {"name": right.full_name(settings)} for right in rights]
        typer.echo(json.dumps({"role": role, "principal": principal, "acls": told}))
        return
    for line in shell_lines(rights, settings, principal=principal):
        typer.echo(line)
