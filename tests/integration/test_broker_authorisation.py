"""Kafka refuses something: the worker waits, says what to allow, and goes on without a restart once it is allowed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from streams.kafka.roles import Right, rights_of
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.integration.guard import Guard, settings_on
from tests.integration.guarded_cluster import WORKER, Cluster, guarded_cluster
from tests.integration.troubled_stage import Stage, troubled_stage
from tests.integration.worker_process import WorkerProcess, environment

WAIT_S: Final = 30.0
WATCHED_S: Final = 3.0
QUIET_CPU: Final = 0.25  # of a core, on a shared machine; spinning takes all of one
QUIET_LINES_PER_S: Final = 1.0
READ_CHANGES: Final = Right(operation="READ", kind="topic", name="user-changes")
READ_PEOPLE: Final = Right(operation="READ", kind="topic", name="customerio-ledger-people")
WRITE_RESULTS: Final = Right(operation="WRITE", kind="topic", name="customerio-results")
READ_GROUP: Final = Right(operation="READ", kind="group", name="")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Give one for the tests of this file."""
    with guarded_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def guarded(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Guard]]:
    """Give a worker that may do what it needs; whoever takes something away gives it back."""
    settings, guard = guarded_settings(cluster)
    with troubled_stage(settings, tmp_path_factory.mktemp("guarded"), **cluster.as_user(WORKER)) as stage:
        yield stage, guard


def guarded_settings(cluster: Cluster) -> tuple[Settings, Guard]:
    """Topics of the test's own, on which the worker may do what it needs."""
    settings = settings_on(cluster.bootstrap)
    guard = Guard(settings, WORKER)
    guard.allow(rights_of("worker", routed=[]))
    return settings, guard


def is_quiet(worker: WorkerProcess) -> None:
    """It neither spins nor floods the log."""
    load = worker.load(WATCHED_S)

    assert load.cpu < QUIET_CPU
    assert load.lines_per_s < QUIET_LINES_PER_S, load.busiest


@pytest.mark.parametrize(
    ("right", "advice"),
    [
        (READ_CHANGES, "allow READ on it"),
        (WRITE_RESULTS, "customerio-results may not be seen: allow WRITE on it"),
        (READ_GROUP, "not allowed into consumer group"),
    ],
)
def test_what_is_forbidden_meanwhile_is_waited_for(guarded: tuple[Stage, Guard], right: Right, advice: str) -> None:
    """By the same process, with one result for each record afterwards."""
    stage, guard = guarded
    guard.forbid(right)
    stage.publish(20)
    stage.worker.wait_until_it_says(advice, WAIT_S)
    is_quiet(stage.worker)
    guard.allow([right])
    stage.worker.wait_for(lambda: stage.outcomes().total() >= stage.published, WAIT_S)

    assert stage.outcomes() == {"delivered": stage.published}
    assert stage.worker.code is None


def test_what_is_forbidden_at_the_start_is_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    """A ledger that may not be read is no empty ledger: what was delivered before is remembered in the end."""
    settings, guard = guarded_settings(cluster)
    with troubled_stage(settings, tmp_path, **cluster.as_user(WORKER)) as stage:
        stage.publish(2, user_id="u-1")
        stage.wait_until_concluded(WAIT_S)
        assert stage.worker.stop() == 0
        guard.forbid(READ_GROUP)
        guard.forbid(READ_PEOPLE)
        stage.publish(1, user_id="u-1")
        given = environment(settings, str(stage.sandbox.base_url), **cluster.as_user(WORKER))
        with WorkerProcess(given, tmp_path / "second.log") as worker:
            worker.wait_until_it_says("not allowed into consumer group", WAIT_S)
            guard.allow([READ_GROUP])
            worker.wait_until_it_says("the ledger cannot be read", WAIT_S)
            is_quiet(worker)
            guard.allow([READ_PEOPLE])
            worker.wait_for(lambda: stage.outcomes().total() >= stage.published, WAIT_S)

            assert stage.outcomes() == {"delivered": 1, "fingerprint": 2}
            assert worker.stop() == 0


def test_a_wrong_password_ends_the_worker_with_one_line(cluster: Cluster, tmp_path: Path) -> None:
    """At the start, where whoever starts it looks; without the password."""
    settings, _ = guarded_settings(cluster)
    with running_sandbox() as url:
        given = environment(settings, url, **cluster.as_user(WORKER, "wrong"))
        with WorkerProcess(given, tmp_path / "worker.log") as worker:
            worker.wait_for(lambda: worker.code is not None, WAIT_S)

            assert worker.code == 1
            assert "Invalid username or password" in worker.lines()[-1]["event"]
            assert "KAFKA_SASL_PASSWORD" in worker.lines()[-1]["event"]
            assert not worker.said("Traceback")
