"""`cio-streams kafka`: only the local Kafka, in the foreground until Ctrl-C."""

import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import UnavailableError

PORT = 9092
WATCH_S = 0.5


def kafka(
    *,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0, max=65_535)] = PORT,
    folder: Annotated[
        Path | None, typer.Option("--data", help="Keep the data in this folder; by default it goes at the end.")
    ] = None,
) -> None:
    """Run a Kafka broker on this machine until Ctrl-C, with Docker or else with Java."""
    from streams.local_kafka.broker import LocalKafka  # noqa: PLC0415 - Kafka's client takes a while to import

    # SIGTERM ends it like Ctrl-C, in order; and a shell starts what it puts in the background with SIGINT ignored.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.default_int_handler)
    try:
        with LocalKafka(port=port, folder=folder, progress=lambda text: typer.echo(text, err=True)) as broker:
            typer.echo(f"Kafka listens at {broker.bootstrap}, Ctrl-C ends it")
            while broker.is_running:
                time.sleep(WATCH_S)
        raise UnavailableError("The local Kafka ended by itself")
    except KeyboardInterrupt:
        typer.echo("Kafka has ended", err=True)
