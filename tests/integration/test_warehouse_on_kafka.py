"""The loader in a process of its own, on a real Kafka: each row once, whatever ends it and whatever Kafka lost."""

import random
import signal
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from streams.kafka import topic_plan, topics
from streams.kafka.clients import connected_admin
from streams.kafka.deletion import delete_before
from streams.settings import Settings
from streams.warehouse.gathering import ROWS_MAX
from tests.conftest import SettingsFactory
from tests.integration.warehouse_stage import LOAD_S, Publisher, event_ids, file_of, load_all, loader, rows
from tests.scraped import is_as_declared

WEBHOOKS = topic_plan.WEBHOOKS
EACH_TIME = 2 * ROWS_MAX + 1_000


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give topics of our own."""
    return settings_factory()


@pytest.fixture
def publisher(settings: Settings) -> Publisher:
    """Give something to write with."""
    return Publisher(settings)


def named(prefix: str, count: int) -> list[str]:
    """Event ids, in order."""
    return [f"{prefix}{number:06d}" for number in range(count)]


def test_it_loads_while_it_runs_and_ends_when_told(settings: Settings, publisher: Publisher, tmp_path: Path) -> None:
    """Both topics; what is rolled back is no row; others read meanwhile; SIGTERM ends it with 0."""
    publisher.results(10)
    publisher.results(5, aborted=True)
    with loader(settings, tmp_path) as process:
        process.wait_until_it_says('"loading"')
        process.wait_for(lambda: len(rows(tmp_path, "results")) == 10, LOAD_S)
        publisher.webhooks(named("a", 30))
        process.wait_for(lambda: len(event_ids(tmp_path)) == 30, LOAD_S)
        url = next(line["url"] for line in process.lines() if line["event"] == "health and metrics")
        with urlopen(f"{url}/metrics") as page:  # noqa: S310 - our own address
            metrics = page.read().decode()
        with urlopen(f"{url}/readyz") as page:  # noqa: S310 - as above
            assert 200 == page.status
        assert 0 == process.stop(), process.last_words

    assert is_as_declared(metrics, "warehouse")
    assert 'cio_warehouse_rows_total{table="webhooks"} 30.0' in metrics
    assert 'cio_warehouse_delay_seconds_count{table="results"} 10.0' in metrics
    assert named("a", 30) == event_ids(tmp_path)


def test_killed_at_random_moments_it_loads_each_row_once(
    settings: Settings, publisher: Publisher, tmp_path: Path
) -> None:
    """Rows and progress are one transaction: not even the raw tables have a repeat."""
    chance = random.Random(7)
    wanted = 0
    for _ in range(5):
        publisher.webhooks(f"{number:06d}" for number in range(wanted, wanted + EACH_TIME))
        publisher.results(500)
        wanted += EACH_TIME
        with loader(settings, tmp_path, name=f"killed{wanted}") as process:
            process.wait_until_it_says('"loading"')
            time.sleep(chance.uniform(0, 1.2))
            process.send(signal.SIGKILL)
    load_all(settings, tmp_path)

    assert [f"{number:06d}" for number in range(wanted)] == event_ids(tmp_path, "webhooks_raw")
    assert list(range(1, 2_501)) == sorted(row["source_offset"] for row in rows(tmp_path, "results_raw"))
    assert wanted == len(event_ids(tmp_path))


def test_a_second_loader_on_the_same_file_is_refused(settings: Settings, tmp_path: Path) -> None:
    """By one line; the first one goes on. So there is no rebalance between loaders of a DuckDB file."""
    with loader(settings, tmp_path) as first:
        first.wait_until_it_says('"loading"')
        with loader(settings, tmp_path, name="second") as second:
            second.wait_for(lambda: second.code is not None, LOAD_S)
            assert (1, True) == (second.code, second.said("Another loader is loading"))
            assert "DuckDB takes one" in second.last_words.splitlines()[-1]
        assert first.code is None


def test_a_second_loader_with_another_file_takes_the_first_ones_place(settings: Settings, tmp_path: Path) -> None:
    """Side by side they would share the partitions, and neither file would have everything."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with loader(settings, tmp_path) as first:
        first.wait_until_it_says('"loading"')
        with loader(settings, elsewhere) as second:
            second.wait_until_it_says('"loading"')
            first.wait_for(lambda: first.code is not None, LOAD_S)
            assert (1, None) == (first.code, second.code)
            assert "has begun, and this one ends" in first.last_words.splitlines()[-1]


def test_what_cannot_be_read_and_what_is_repeated(settings: Settings, publisher: Publisher, tmp_path: Path) -> None:
    """Any bytes become a row with a fault; an event id that comes again is loaded once."""
    publisher.bodies([b"\x00\xff", None, b'"\\ud800"', b"{" * 5_000, b'{"event_id": 1}', b'{"event_id": "a\\u0000b"}'])
    publisher.webhooks(["x", "x", "x"])
    load_all(settings, tmp_path)

    found = rows(tmp_path)
    assert ["not_understood"] * 4 + ["null"] == sorted(row["fault"] for row in found if row["fault"])
    assert 1 == sum(row["event_id"] == "x" for row in rows(tmp_path, "webhooks_raw"))


def test_what_kafka_deleted_before_it_was_loaded_is_said(
    settings: Settings, publisher: Publisher, tmp_path: Path
) -> None:
    """And the rest is loaded."""
    publisher.bodies([b'{"event_id": "a"}', b'{"event_id": "b"}'], partition=0)
    load_all(settings, tmp_path)
    publisher.bodies([b'{"event_id": "c"}', b'{"event_id": "d"}', b'{"event_id": "e"}'], partition=0)
    delete_before(connected_admin(settings), {(settings.topic(WEBHOOKS), 0): 4})
    load_all(settings, tmp_path)

    assert ["a", "b", "e"] == event_ids(tmp_path)
    assert '"missed": 2' in (tmp_path / "once.log").read_text()


def test_a_topic_that_is_made_anew_is_loaded_from_its_beginning(
    settings: Settings, publisher: Publisher, tmp_path: Path
) -> None:
    """Although the warehouse is beyond its end; what was loaded of the first one stays."""
    publisher.bodies([b'{"event_id": "a"}', b"no", b'{"event_id": "c"}'], partition=0)
    load_all(settings, tmp_path)
    admin = connected_admin(settings)
    admin.delete_topics([settings.topic(WEBHOOKS)])[settings.topic(WEBHOOKS)].result(LOAD_S)
    make_anew(settings)
    Publisher(settings).bodies([b'{"event_id": "d"}', b"no"], partition=0)
    load_all(settings, tmp_path)

    found = rows(tmp_path)
    assert ["a", "c", "d"] == sorted(row["event_id"] for row in found if row["event_id"])
    assert 2 == sum(row["fault"] == "not_understood" for row in found)
    assert "the topic was made anew" in (tmp_path / "once.log").read_text()


def make_anew(settings: Settings) -> None:
    """Create what is missing, as soon as the broker has forgotten the old one."""
    admin = connected_admin(settings)
    deadline = time.monotonic() + LOAD_S
    while not topics.create(admin, settings):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_without_topics_it_says_what_to_run(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """One line, and no file."""
    settings = settings_factory(create=False)
    with loader(settings, tmp_path) as process:
        process.wait_for(lambda: process.code is not None, LOAD_S)

    assert (1, True) == (process.code, process.said("does not exist: run `cio-streams topics create`"))
    assert not file_of(tmp_path).exists()
