"""`cio-streams warehouse`: the process that loads the warehouse. Reads options and starts it."""

import os
import signal
from typing import Annotated

import typer


def warehouse(
    *, once: Annotated[bool, typer.Option("--once", help="Load what is there now, then end.")] = False
) -> None:
    """Load Customer.io's webhooks and our results into the warehouse that WAREHOUSE names; start it once."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: os._exit(0))  # nothing has begun; the loader takes its own signals later
    from streams.logs import configure  # noqa: PLC0415 - Kafka's client takes a while to import
    from streams.settings import load_settings  # noqa: PLC0415 - as above
    from streams.warehouse.run import run_loader  # noqa: PLC0415 - as above

    settings = load_settings()
    configure(settings)
    run_loader(settings, once=once)
