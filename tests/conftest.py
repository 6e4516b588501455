"""What all tests share: one real Kafka for the session, and settings with topics of their own for each test."""

import contextlib
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka.admin import AdminClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from streams.kafka import topics
from streams.kafka.clients import connected_admin
from streams.local_kafka.broker import LocalKafka, free_ports, wait_until_ready
from streams.local_kafka.launch import IMAGE, docker_environment, find_docker
from streams.settings import Settings
from tests.logging_state import configured, logging_as_before

SettingsFactory = Callable[..., Settings]
TESTS: Final = Path(__file__).parent

# Where others work too, an example takes the time that it takes: that says nothing of what is tested.
hypothesis_settings.register_profile(
    "patient", hypothesis_settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("patient")


WAITING: Final = ("faults", "privacy", "deploy", "integration", "simulation")
"""Folders whose files take long, mostly to wait; a run ends with short ones, so that no process is left alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with these; the order is left to chance otherwise."""
    items.sort(key=lambda item: item.path.relative_to(TESTS).parts[0] not in WAITING)


@pytest.fixture(autouse=True)
def _logging_of_its_own() -> Iterator[None]:
    """Keep a test's logging to itself, and name the fixture of a wider scope that does not."""
    assert [] == configured(), "a fixture that runs a command does so inside `logging_as_before`"
    with logging_as_before():
        yield


@pytest.fixture(autouse=True)
def _signals_of_its_own() -> Iterator[None]:
    """Keep what a test's commands do with signals from those after it, and from the processes that they start."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what this machine has set, and point at where nothing listens."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Give the address of a Kafka: `KAFKA_BOOTSTRAP_SERVERS`, else one in Docker, else one from its Maven artifacts."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    with _kafka_in_docker() if find_docker() else _kafka_from_jars() as bootstrap:
        yield bootstrap


@contextlib.contextmanager
def _kafka_in_docker() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - of no use without an engine

    port, _ = free_ports()
    container = DockerContainer(IMAGE).with_bind_ports(9092, port)
    for name, value in docker_environment(port).items():
        container.with_env(name, value)
    with container:
        bootstrap = f"127.0.0.1:{port}"
        assert wait_until_ready(bootstrap), "Kafka does not come up in Docker"
        yield bootstrap


@contextlib.contextmanager
def _kafka_from_jars() -> Iterator[str]:
    with LocalKafka() as broker:
        yield broker.bootstrap


@pytest.fixture
def prefix() -> str:
    """Give a topic prefix that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}."


@pytest.fixture
def settings_factory(kafka: str, prefix: str) -> Iterator[SettingsFactory]:
    """Give a function that makes settings on the real Kafka, with a prefix, an app id and existing topics of their own.

    `create=False` leaves the topics out; everything else is a setting. The topics are deleted after the test.
    """
    with making_settings(kafka, prefix) as make:
        yield make


@contextlib.contextmanager
def making_settings(kafka: str, prefix: str) -> Iterator[SettingsFactory]:
    """Give the function, and delete the topics that it has made."""
    made: list[Settings] = []

    def make(*, create: bool = True, **changes: object) -> Settings:
        own = {
            "kafka_bootstrap_servers": kafka,
            "topic_prefix": f"{prefix}{len(made)}." if made else prefix,
            "app_id": f"{prefix}app{len(made)}",
            "topic_partitions": 2,
            "customerio_track_url": "http://127.0.0.1:1",  # nobody: no test speaks to the real one
        }
        settings = Settings.model_validate(own | changes)
        made.append(settings)
        if create:
            topics.create(connected_admin(settings), settings)
        return settings

    yield make
    if made:
        delete_topics(connected_admin(made[0]), tuple(settings.topic_prefix for settings in made))


def delete_topics(admin: AdminClient, prefixes: tuple[str, ...]) -> None:
    """Keep the broker small: hundreds of tests leave thousands of partitions behind otherwise."""
    left = [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefixes)]
    for future in (admin.delete_topics(left) if left else {}).values():
        future.result()
