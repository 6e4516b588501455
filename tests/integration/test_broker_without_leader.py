"""One of two brokers is down, and with it the only replica of a partition: it waits, aloud and without spinning."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined] # public by its documentation, not by its stubs

from streams.kafka import topics
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.topic_plan import plan
from streams.local_kafka import launch
from streams.local_kafka.broker import LocalKafka, free_ports
from streams.settings import Settings
from tests.integration.troubled_stage import troubled_stage

WAIT_S: Final = 60.0
QUIET_S: Final = 4.0
QUIET_CPU: Final = 0.25  # of a core, on a shared machine; spinning takes all of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Two brokers; `second` may be killed, `first` has the controller and the coordinators."""

    first: LocalKafka
    second: LocalKafka


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give them; whoever kills the second starts it again."""
    folder, (port, _) = tmp_path_factory.mktemp("second"), free_ports()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "find_docker", lambda: None)  # containers would not reach each other by 127.0.0.1
        yield from _running(folder, port)


def _running(folder: Path, port: int) -> Iterator[Cluster]:
    with LocalKafka() as first:
        _make_coordinators(Settings(kafka_bootstrap_servers=first.bootstrap))
        (folder / "cluster.id").write_text((first.folder / "cluster.id").read_text())
        address = f"PLAINTEXT://127.0.0.1:{port}"
        config = {
            "process.roles": "broker",
            "node.id": "2",
            "controller.quorum.voters": f"1@127.0.0.1:{first._place.controller_port}",
            "listeners": address,
            "advertised.listeners": address,
        }
        with LocalKafka(port=port, folder=folder, config=config) as second:
            yield Cluster(first=first, second=second)


def _make_coordinators(settings: Settings) -> None:
    """While the first broker is alone, so that they are there."""
    Producer(librdkafka_config(settings, **{"transactional.id": "first"})).init_transactions(WAIT_S)
    LedgerReader(librdkafka_config(settings), group="first").committed([("none", 0)])


def make_settings(cluster: Cluster, on_second: str) -> Settings:
    """Make topics on the first broker, but for partition 0 of one of them."""
    prefix = f"l{uuid.uuid4().hex[:8]}."
    settings = Settings(
        kafka_bootstrap_servers=cluster.first.bootstrap, topic_prefix=prefix, app_id=f"{prefix}app", topic_partitions=2
    )
    wanted = [
        NewTopic(
            topic.name,
            topic.partitions,
            config=dict(topic.config),
            replica_assignment=[
                [2 if (name, partition) == (on_second, 0) else 1] for partition in range(topic.partitions)
            ],
        )
        for name, topic in plan(settings).items()
    ]
    admin = connected_admin(settings)
    for future in admin.create_topics(wanted).values():
        future.result()
    topics._wait_until_visible(admin, [topic.topic for topic in wanted])
    return settings


@contextlib.contextmanager
def down(broker: LocalKafka) -> Iterator[None]:
    """Kill it; afterwards it is there again, with its data."""
    broker.kill()
    try:
        yield
    finally:
        broker.start()


def test_an_input_partition_without_leader_waits_alone(cluster: Cluster, tmp_path: Path) -> None:
    """The others are worked on; aiokafka would take two thirds of a core for it."""
    settings = make_settings(cluster, on_second="user-changes")
    with troubled_stage(settings, tmp_path) as stage:
        stage.publish(40)
        stage.wait_until_concluded(WAIT_S)
        with down(cluster.second):
            stage.worker.wait_until_it_says(f"without leader, so not read: {settings.topic('user-changes')}/0", WAIT_S)
            stage.producer.produce(settings.topic("user-changes"), b"{", b"u-bad", 1)
            stage.worker.wait_for(lambda: stage.outcomes()["malformed"] == 1, WAIT_S)

            assert stage.worker.load(QUIET_S).cpu < QUIET_CPU

        stage.publish(40)
        stage.worker.wait_for(lambda: stage.outcomes().total() >= stage.published + 1, WAIT_S)

        assert stage.outcomes() == {"delivered": stage.published, "malformed": 1}
