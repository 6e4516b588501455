"""Partitions whose batches the warehouse does not take, on a real Kafka: held alone, and loaded when it does."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.warehouse.duckdb_warehouse import DuckDbWarehouse
from streams.warehouse.gathering import kinds
from streams.warehouse.loader import Loader
from streams.warehouse.loader_metrics import LoaderMetrics
from streams.warehouse.port import Batch, Place
from streams.warehouse.source import Source
from tests.conftest import SettingsFactory
from tests.integration.warehouse_stage import LOAD_S, Publisher, event_ids, file_of
from tests.warehouse_world import webhook_body

MORE = 3_000  # so many that Kafka's client has some of them in its queue whenever it is told to hold them


class Choosy(DuckDbWarehouse):
    """A real warehouse that takes nothing of one partition for now, as BigQuery may."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.refused: int | None = 1
        self.refusals: list[Batch] = []
        self.taken = 0

    def append(self, batches: Sequence[Batch]) -> Mapping[Place, str]:
        """Load the others."""
        refused = [each for each in batches if each.place.partition == self.refused]
        self.refusals += refused
        taken = [each for each in batches if each not in refused]
        super().append(taken)
        self.taken += sum(len(each.rows) for each in taken)
        return {each.place: "not now" for each in refused}


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give topics of our own."""
    return settings_factory()


@contextmanager
def loading(settings: Settings, folder: Path) -> Iterator[Choosy]:
    """Load into it, by a thread: only who has its file open could look into it meanwhile."""
    warehouse, stop, loaded = Choosy(file_of(folder)), threading.Event(), kinds(settings)
    loader = Loader(loaded, warehouse, LoaderMetrics(), stop=stop)
    thread = threading.Thread(target=loader.run, args=(lambda: Source(settings, list(loaded), alone=True),))
    thread.start()
    try:
        yield warehouse
    finally:
        stop.set()
        thread.join()


def test_one_partition_that_is_not_taken_holds_up_no_other(settings: Settings, tmp_path: Path) -> None:
    """What comes for it meanwhile stays on Kafka, and each row of it is there once in the end."""
    held = [f"held-{number}" for number in range(MORE)]
    free = [f"free-{number}" for number in range(MORE)]
    publisher = Publisher(settings)
    with loading(settings, tmp_path) as warehouse:
        publisher.bodies([webhook_body("held")], partition=1)
        until(lambda: bool(warehouse.refusals))
        publisher.bodies(map(webhook_body, held), partition=1)
        publisher.bodies(map(webhook_body, free), partition=0)
        until(lambda: warehouse.taken == len(free))
        tries = len(warehouse.refusals)
        until(lambda: len(warehouse.refusals) > tries)
        assert {1} == {len(batch.rows) for batch in warehouse.refusals}  # read no further while it is held

        warehouse.refused = None
        until(lambda: warehouse.taken == 1 + len(free) + len(held))

    assert sorted(["held", *held, *free]) == event_ids(tmp_path, "webhooks_raw")


def until(what: Callable[[], bool]) -> None:
    """Wait until it is so."""
    end_s = time.monotonic() + LOAD_S
    while not what():
        assert time.monotonic() < end_s
        time.sleep(0.1)
