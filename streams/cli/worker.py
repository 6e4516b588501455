"""`cio-streams worker`: one worker process."""

import typer


def worker() -> None:
    """Run one worker: deliver user changes and domain events to Customer.io. Start as many as there are partitions."""
    from streams.logs import configure  # noqa: PLC0415 - Faust takes half a second to import, and only a worker needs it
    from streams.settings import load_settings, require_track_credentials  # noqa: PLC0415 - as above
    from streams.worker import run_worker  # noqa: PLC0415 - as above

    settings = load_settings()
    require_track_credentials(settings)
    configure(settings)
    raise typer.Exit(run_worker(settings))
