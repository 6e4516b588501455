"""`cio-streams dlq watch`: the process that tells Prometheus which dead letters are open. Starts it."""

import os
import signal


def watch() -> None:
    """Tell Prometheus how many dead letters are open, and how old; start it once."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: os._exit(0))  # nothing has begun; the watch takes its own signals later
    from streams.dead_letters.watch_process import run_watch  # noqa: PLC0415 - Kafka's client takes a while to import
    from streams.logs import configure  # noqa: PLC0415 - as above
    from streams.settings import load_settings  # noqa: PLC0415 - as above

    settings = load_settings()
    configure(settings)
    run_watch(settings)
