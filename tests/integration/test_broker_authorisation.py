"""Kafka refuses something: the worker waits, says what to allow, and goes on without a restart once it is allowed."""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from streams.kafka import topics
from streams.kafka.clients import connected_admin
from streams.local_kafka.broker import LocalKafka, free_ports
from streams.local_kafka.launch import Door
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.integration.troubled_stage import Stage, troubled_stage
from tests.integration.worker_process import WorkerProcess, environment

WAIT_S: Final = 30.0
WATCHED_S: Final = 3.0
QUIET_CPU: Final = 0.25  # of a core, on a shared machine; spinning takes all of one
QUIET_LINES_PER_S: Final = 1.0
LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"
CONFIG: Final = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",  # whoever comes through the other door: the tests, and the broker itself
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.secured.plain.sasl.jaas.config": f'{LOGIN} user_worker="right";',
}
INPUTS: Final = ("user-changes", "domain-events", "customerio-replay")
LEDGERS: Final = ("customerio-ledger-people", "customerio-ledger-events")
OUTPUTS: Final = ("customerio-results", "customerio-dlq", *LEDGERS)


Permission = tuple[str, str]  # an operation, and on what: a topic by its short name, "group", "transactional ids"
NEEDED: Final[tuple[Permission, ...]] = (
    *(("READ", name) for name in (*INPUTS, *LEDGERS)),
    *(("WRITE", name) for name in OUTPUTS),
    ("READ", "group"),
    ("WRITE", "transactional ids"),
)


class Guard:
    """What the user of workers may do with what belongs to these settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._admin: AdminClient = connected_admin(settings)

    def allow(self, permissions: Collection[Permission]) -> None:
        """Add them."""
        bindings = [AclBinding(*self._rule(each)) for each in permissions]
        for future in self._admin.create_acls(bindings).values():
            future.result()

    def forbid(self, permission: Permission) -> None:
        """Take it away."""
        for future in self._admin.delete_acls([AclBindingFilter(*self._rule(permission))]).values():
            assert len(future.result()) == 1

    def _rule(self, permission: Permission) -> Any:  # noqa: ANN401 - the seven arguments of a binding, and of a filter
        operation, on = permission
        kind, name, pattern = {
            "group": (ResourceType.GROUP, self._settings.app_id, ResourcePatternType.LITERAL),
            "transactional ids": (ResourceType.TRANSACTIONAL_ID, self._settings.app_id, ResourcePatternType.PREFIXED),
        }.get(on, (ResourceType.TOPIC, self._settings.topic(on), ResourcePatternType.LITERAL))
        return kind, name, pattern, "User:worker", "*", AclOperation[operation], AclPermissionType.ALLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A broker that asks workers who they are, and lets tests do everything."""

    bootstrap: str
    guarded: str

    def as_worker(self, password: str = "right") -> dict[str, str]:  # noqa: S107 - of a broker that lives for a minute
        """The settings by which a worker comes through the guarded door."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.guarded,
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_MECHANISM": "PLAIN",
            "KAFKA_SASL_USERNAME": "worker",
            "KAFKA_SASL_PASSWORD": password,
        }


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Give one for the tests of this file."""
    port, _ = free_ports()
    door = Door(name="SECURED", port=port, advertised_port=port, protocol="SASL_PLAINTEXT")
    with LocalKafka(doors=[door], config=CONFIG) as broker:
        yield Cluster(bootstrap=broker.bootstrap, guarded=f"127.0.0.1:{port}")


def make_settings(cluster: Cluster) -> tuple[Settings, Guard]:
    """Topics of the test's own, on which the worker's user may do nothing yet."""
    prefix = f"g{uuid.uuid4().hex[:8]}."
    settings = Settings(
        kafka_bootstrap_servers=cluster.bootstrap, topic_prefix=prefix, app_id=f"{prefix}app", topic_partitions=2
    )
    topics.create(connected_admin(settings), settings)
    return settings, Guard(settings)


@pytest.fixture(scope="module")
def guarded(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Guard]]:
    """Give a worker that may do what it needs; whoever takes something away gives it back."""
    settings, guard = make_settings(cluster)
    guard.allow(NEEDED)
    with troubled_stage(settings, tmp_path_factory.mktemp("guarded"), **cluster.as_worker()) as stage:
        yield stage, guard


def is_quiet(worker: WorkerProcess) -> None:
    """It neither spins nor floods the log."""
    load = worker.load(WATCHED_S)

    assert load.cpu < QUIET_CPU
    assert load.lines_per_s < QUIET_LINES_PER_S, load.busiest


@pytest.mark.parametrize(
    ("permission", "advice"),
    [
        (("READ", "user-changes"), "user-changes may not be seen: allow READ on it"),
        (("WRITE", "customerio-results"), "customerio-results may not be seen: allow WRITE on it"),
        (("READ", "group"), "not allowed into consumer group"),
    ],
)
def test_what_is_forbidden_meanwhile_is_waited_for(
    guarded: tuple[Stage, Guard], permission: Permission, advice: str
) -> None:
    """By the same process, with one result for each record afterwards."""
    stage, guard = guarded
    guard.forbid(permission)
    stage.publish(20)
    stage.worker.wait_until_it_says(advice, WAIT_S)
    is_quiet(stage.worker)
    guard.allow([permission])
    stage.worker.wait_for(lambda: stage.outcomes().total() >= stage.published, WAIT_S)

    assert stage.outcomes() == {"delivered": stage.published}
    assert stage.worker.code is None


def test_what_is_forbidden_at_the_start_is_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    """A ledger that may not be read is no empty ledger: what was delivered before is remembered in the end."""
    settings, guard = make_settings(cluster)
    guard.allow(NEEDED)
    with troubled_stage(settings, tmp_path, **cluster.as_worker()) as stage:
        stage.publish(2, user_id="u-1")
        stage.wait_until_concluded(WAIT_S)
        assert stage.worker.stop() == 0
        guard.forbid(("READ", "group"))
        guard.forbid(("READ", "customerio-ledger-people"))
        stage.publish(1, user_id="u-1")
        given = environment(settings, str(stage.sandbox.base_url), **cluster.as_worker())
        with WorkerProcess(given, tmp_path / "second.log") as worker:
            worker.wait_until_it_says("not allowed into consumer group", WAIT_S)
            guard.allow([("READ", "group")])
            worker.wait_until_it_says("the ledger cannot be read", WAIT_S)
            is_quiet(worker)
            guard.allow([("READ", "customerio-ledger-people")])
            worker.wait_for(lambda: stage.outcomes().total() >= stage.published, WAIT_S)

            assert stage.outcomes() == {"delivered": 1, "fingerprint": 2}
            assert worker.stop() == 0


def test_a_wrong_password_ends_the_worker_with_one_line(cluster: Cluster, tmp_path: Path) -> None:
    """At the start, where whoever starts it looks; without the password."""
    settings, _ = make_settings(cluster)
    with running_sandbox() as url:
        given = environment(settings, url, **cluster.as_worker("wrong"))
        with WorkerProcess(given, tmp_path / "worker.log") as worker:
            worker.wait_for(lambda: worker.code is not None, WAIT_S)

            assert worker.code == 1
            assert "Invalid username or password" in worker.lines()[-1]["event"]
            assert "KAFKA_SASL_PASSWORD" in worker.lines()[-1]["event"]
            assert not worker.said("Traceback")
