"""Loaders of a BigQuery dataset as processes of their own, on a real Kafka: each record once through their deaths."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.fake_bigquery.world import World, bigquery_world
from tests.integration.warehouse_stage import LOAD_S, Publisher
from tests.integration.worker_process import WorkerProcess

EACH_TIME = 4_000


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty dataset."""
    with bigquery_world() as made:
        yield made


def loader(settings: Settings, world: World, log: Path) -> WorkerProcess:
    """Start one."""
    own = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "APP_ID": settings.app_id,
        "TOPIC_PREFIX": settings.topic_prefix,
        "LOG_FORMAT": "json",
    }
    command = ("tests.integration.bigquery_loader", world.rest.url, str(world.write.port))
    return WorkerProcess(own, log, command=command)


def loaded(world: World) -> int:
    """Rows in the raw table."""
    (row,) = world.reader().read("faults", limit=1, where={"source": "webhooks"}) or [{"loaded": 0}]
    return int(row["loaded"])


def test_one_is_killed_another_sleeps_and_the_third_goes_on(
    settings_factory: SettingsFactory, world: World, tmp_path: Path
) -> None:
    """The sleeper wakes up with rows under way that are there by now; nothing is there twice, nothing is missing."""
    settings = settings_factory()
    publisher = Publisher(settings)
    world.prepared().close()
    first, second = (loader(settings, world, tmp_path / f"{name}.log") for name in ("killed", "sleeping"))
    with first, second:
        for each in (first, second):
            each.wait_until_it_says('"loading"')
        publisher.webhooks(f"{number:06d}" for number in range(EACH_TIME))
        second.wait_for(lambda: len(world.write.streams) > 0, LOAD_S)
        second.send(signal.SIGSTOP)
        first.send(signal.SIGKILL)
        publisher.webhooks(f"{number:06d}" for number in range(EACH_TIME, 2 * EACH_TIME))
        with loader(settings, world, tmp_path / "third.log") as third:
            third.wait_for(lambda: loaded(world) >= 2 * EACH_TIME, LOAD_S)
            second.send(signal.SIGCONT)
            publisher.webhooks(f"{number:06d}" for number in range(2 * EACH_TIME, 3 * EACH_TIME))
            third.wait_for(lambda: loaded(world) >= 3 * EACH_TIME, LOAD_S)

    rows = world.reader().read("webhooks_raw", limit=4 * EACH_TIME)
    assert {f"{number:06d}": 1 for number in range(3 * EACH_TIME)} == Counter(row["event_id"] for row in rows)
