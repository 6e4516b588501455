"""`cio-streams worker`: one worker process."""

import os
import signal

import typer


def worker() -> None:
    """Run one worker: deliver user changes and domain events to Customer.io. Start as many as there are partitions."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: os._exit(0))  # nothing has begun; the worker takes its own signals later
    from streams.logs import configure  # noqa: PLC0415 - Faust takes half a second to import, and only a worker needs it
    from streams.settings import load_settings  # noqa: PLC0415 - as above
    from streams.worker import run_worker  # noqa: PLC0415 - as above

    settings = load_settings(needs_track=True)
    configure(settings)
    raise typer.Exit(run_worker(settings))
