"""The dead letters of a cluster, for as long as a command looks at them."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from streams import logs
from streams.dead_letters.letters import Letters
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings


@contextmanager
def opened(settings: Settings) -> Iterator[Letters]:
    """Give the letters; what libraries log is left out, for what matters comes as an error.

    Raises:
        UnavailableError: Kafka cannot be reached.
    """
    logs.configure(settings.with_changes(log_level="critical"))
    with PartitionReader(settings) as reader:
        letters = Letters(settings, reader)
        yield letters
        if letters.foreign:
            typer.echo(f"records passed over because no worker of ours wrote them: {letters.foreign}", err=True)
