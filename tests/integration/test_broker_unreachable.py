"""The way to Kafka is cut: a worker waits quietly, and nothing is lost or done twice."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from streams.kafka import topics
from streams.kafka.clients import connected_admin
from streams.local_kafka.broker import LocalKafka, free_ports
from streams.local_kafka.launch import Door
from streams.settings import Settings
from tests.integration.tcp_proxy import TcpProxy
from tests.integration.troubled_stage import READY, Stage, troubled_stage
from tests.integration.watch_stage import letters, opened, until, watching
from tests.integration.worker_process import WorkerProcess, environment

OUTAGE_S: Final = 5.0
ALONE_S: Final = 17.0  # longer than the group waits for a member
RECOVERY_S: Final = 30.0
QUIET_CPU: Final = 0.25  # of a core, on a shared machine; spinning takes all of one
QUIET_LINES_PER_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A broker, reached by tests directly, by workers through the proxy."""

    bootstrap: str
    proxied: str
    proxy: TcpProxy


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Give one for the tests of this file; whoever cuts it mends it."""
    port, outer = free_ports()
    door = Door(name="PROXIED", port=port, advertised_port=outer)
    with LocalKafka(doors=[door]) as broker, TcpProxy(outer, to_port=port) as proxy:
        yield Cluster(bootstrap=broker.bootstrap, proxied=f"127.0.0.1:{outer}", proxy=proxy)


def make_settings(cluster: Cluster) -> Settings:
    """Give settings with topics of their own, past the proxy."""
    prefix = f"c{uuid.uuid4().hex[:8]}."
    settings = Settings(
        kafka_bootstrap_servers=cluster.bootstrap, topic_prefix=prefix, app_id=f"{prefix}app", topic_partitions=2
    )
    topics.create(connected_admin(settings), settings)
    return settings


@contextlib.contextmanager
def stage_on(cluster: Cluster, folder: Path) -> Iterator[Stage]:
    """Give a worker behind the proxy that has concluded something."""
    settings = make_settings(cluster)
    with troubled_stage(settings, folder, KAFKA_BOOTSTRAP_SERVERS=cluster.proxied) as stage:
        stage.publish(20)
        stage.wait_until_concluded(RECOVERY_S)
        yield stage


def is_quiet(worker: WorkerProcess, seconds: float) -> None:
    """It neither spins nor floods the log."""
    load = worker.load(seconds)

    assert load.cpu < QUIET_CPU
    assert load.lines_per_s < QUIET_LINES_PER_S, load.busiest


def has_all_once(stage: Stage) -> None:
    """Every record has its one result, by the same worker."""
    stage.worker.wait_for(lambda: stage.outcomes().total() >= stage.published, RECOVERY_S)

    assert stage.outcomes() == {"delivered": stage.published}
    assert stage.worker.code is None


def assignments(worker: WorkerProcess) -> int:
    """How often it was assigned partitions."""
    return sum(line["event"] == READY for line in worker.lines())


def test_refused_connections_are_waited_out(cluster: Cluster, tmp_path: Path) -> None:
    """A transaction that was under way is not stuck for ever, as librdkafka would have it."""
    with stage_on(cluster, tmp_path) as stage:
        with stage.traffic(40):
            cluster.proxy.refuse()
            is_quiet(stage.worker, OUTAGE_S)
            cluster.proxy.accept()
        has_all_once(stage)


def test_a_worker_that_is_cut_off_is_replaced_and_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    """It says that it waits; what the other has concluded meanwhile has no second result."""
    with stage_on(cluster, tmp_path) as stage:
        url = str(stage.sandbox.base_url)
        with WorkerProcess(environment(stage.settings, url), tmp_path / "other.log") as other:
            other.wait_until_it_says(READY)
            with stage.traffic(40):
                cluster.proxy.hold()
                is_quiet(stage.worker, ALONE_S)
                other.wait_for(lambda: stage.outcomes().total() > 20 + 40 * OUTAGE_S, RECOVERY_S)
                stage.worker.wait_until_it_says("no word from consumer group")
                before = assignments(stage.worker)
                cluster.proxy.release()
                stage.worker.wait_for(lambda: assignments(stage.worker) > before, RECOVERY_S)
            has_all_once(stage)


def test_the_watch_of_dead_letters_goes_on_from_where_it_was(cluster: Cluster) -> None:
    """What it tells stays meanwhile, and the time since it was sure of that grows."""
    settings = make_settings(cluster)
    letters(settings, 3)
    with watching(settings.with_changes(kafka_bootstrap_servers=cluster.proxied)) as watch:
        until(lambda: sum(opened(watch).values()) == 3)
        cluster.proxy.refuse()
        letters(settings, 2, first=3)
        until(lambda: watch.waiting is not None)
        level_s, told_of = watch.level_s, sum(opened(watch).values())
        cluster.proxy.accept()
        until(lambda: sum(opened(watch).values()) == 5 and watch.waiting is None)

    assert told_of == 3
    assert watch.level_s > level_s
