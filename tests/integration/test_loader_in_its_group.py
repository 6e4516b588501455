"""A loader's place in its group, on a real Kafka: another one takes it, but nobody loses it to himself."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from schemas.errors import FencedError
from streams.kafka import topic_plan
from streams.kafka.clients import librdkafka_config
from streams.settings import Settings
from streams.warehouse.source import SESSION_MS, Source
from tests.conftest import SettingsFactory
from tests.integration.warehouse_stage import LOAD_S, Publisher, event_ids, loader

WAIT_S = 30.0


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give topics of our own."""
    return settings_factory()


@pytest.fixture
def source(settings: Settings) -> Iterator[Source]:
    """Give a loader's side of Kafka that has its partitions."""
    source = Source(settings, [settings.topic(topic_plan.WEBHOOKS)], alone=True)
    wait_for(lambda: bool(source.ours), source)
    yield source
    source.close()


def wait_for(what: Callable[[], bool], source: Source) -> None:
    """Poll until it is so."""
    until_s = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < until_s
        source.poll(0.1)


@contextmanager
def taken_place(settings: Settings, group: str) -> Iterator[None]:
    """Join as the same member of the group, and be gone in the end without a word."""
    same = {"group.id": group, "group.instance.id": group, "session.timeout.ms": SESSION_MS}
    taker = Consumer(librdkafka_config(settings, **same))
    taker.subscribe([settings.topic(topic_plan.WEBHOOKS)])
    until_s = time.monotonic() + WAIT_S
    while not taker.assignment():
        assert time.monotonic() < until_s
        taker.poll(0.1)
    yield
    taker.close()


def test_another_loader_takes_its_place(settings: Settings, source: Source) -> None:
    """Two would share the partitions, and neither file would have all."""
    with taken_place(settings, source._group), pytest.raises(FencedError, match="Another loader"):
        wait_for(lambda: False, source)


def test_a_place_that_nobody_has_is_taken_again(settings: Settings, tmp_path: Path) -> None:
    """So it looks when a member comes back after its session's end, and Kafka takes it for another one."""
    publisher = Publisher(settings)
    with loader(settings, tmp_path) as process:
        process.wait_until_it_says('"loading"')
        with taken_place(settings, f"{settings.app_id}-warehouse"):
            process.wait_until_it_says("another loader may have begun")
        publisher.webhooks(["e1"])

        process.wait_for(lambda: ["e1"] == event_ids(tmp_path), LOAD_S)
        assert 0 == process.stop(), process.last_words
