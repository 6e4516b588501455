"""A broker with users and ACLs: one door lets somebody do what they may, the other is for tests."""

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

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
from streams.settings import Settings

WORKER: Final = "worker"
OPERATOR: Final = "operator"
LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"
CONFIG: Final = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",  # whoever comes through the other door: the tests, and the broker itself
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.secured.plain.sasl.jaas.config": f'{LOGIN} user_{WORKER}="right" user_{OPERATOR}="right";',
}

Permission = tuple[str, str]  # an operation, and on what: a topic by its short name, "group", "transactional ids"
"""And "ids of dlq": the transactional ids of the `dlq` commands."""


class Guard:
    """What a user may do with what belongs to these settings."""

    def __init__(self, settings: Settings, user: str) -> None:
        self._settings = settings
        self._user = user
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
            "ids of dlq": (
                ResourceType.TRANSACTIONAL_ID,
                f"{self._settings.app_id}-dlq-",
                ResourcePatternType.PREFIXED,
            ),
        }.get(on, (ResourceType.TOPIC, self._settings.topic(on), ResourcePatternType.LITERAL))
        return kind, name, pattern, f"User:{self._user}", "*", AclOperation[operation], AclPermissionType.ALLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A broker that asks users who they are, and lets tests do everything."""

    bootstrap: str
    guarded: str

    def as_user(self, user: str, password: str = "right") -> dict[str, str]:  # noqa: S107 - of a broker that lives for a minute
        """The settings by which a user comes through the guarded door."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.guarded,
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_MECHANISM": "PLAIN",
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": password,
        }


@contextmanager
def guarded_cluster() -> Iterator[Cluster]:
    """Run one."""
    port, _ = free_ports()
    door = Door(name="SECURED", port=port, advertised_port=port, protocol="SASL_PLAINTEXT")
    with LocalKafka(doors=[door], config=CONFIG) as broker:
        yield Cluster(bootstrap=broker.bootstrap, guarded=f"127.0.0.1:{port}")


def make_settings(cluster: Cluster, user: str) -> tuple[Settings, Guard]:
    """Topics of the test's own, on which the user may do nothing yet."""
    prefix = f"g{uuid.uuid4().hex[:8]}."
    settings = Settings(
        kafka_bootstrap_servers=cluster.bootstrap, topic_prefix=prefix, app_id=f"{prefix}app", topic_partitions=2
    )
    topics.create(connected_admin(settings), settings)
    return settings, Guard(settings, user)
