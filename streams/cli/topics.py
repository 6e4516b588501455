"""`cio-streams topics create|check`: create the planned topics, or list how the cluster differs from the plan."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from streams.plural import so_many
from streams.settings import load_settings

app = typer.Typer(help="Create the topics, or compare the cluster with them.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def create(*, as_json: AsJson = False) -> None:
    """Create the topics that are missing; those that exist stay as they are."""
    from streams.kafka import topics  # noqa: PLC0415 - Kafka's client takes a while to import
    from streams.kafka.clients import connected_admin  # noqa: PLC0415 - as above

    settings = load_settings()
    made = topics.create(connected_admin(settings), settings)
    if as_json:
        typer.echo(json.dumps({"created": made}))
        return
    for name in made:
        typer.echo(f"created {name}")
    if not made:
        typer.echo("all topics exist")


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """List every difference between the cluster and the plan; exit 1 when there is one."""
    from streams.kafka import topics  # noqa: PLC0415 - Kafka's client takes a while to import
    from streams.kafka.clients import connected_admin  # noqa: PLC0415 - as above

    settings = load_settings()
    differences = topics.check(connected_admin(settings), settings)
    if as_json:
        typer.echo(json.dumps({"differences": [asdict(difference) for difference in differences]}))
    else:
        for difference in differences:
            typer.echo(str(difference))
    if differences:
        typer.echo(f"The topics differ from the plan in {so_many(len(differences), 'point')}", err=True)
        raise typer.Exit(1)
    if not as_json:
        typer.echo("all topics are as planned")
