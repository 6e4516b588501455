"""A broker with users and ACLs: one door lets somebody do what they may, the other is for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from streams.local_kafka.broker import LocalKafka, free_ports
from streams.local_kafka.launch import Door

WORKER: Final = "worker"
LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"
CONFIG: Final = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",  # whoever comes through the other door: the tests, and the broker itself
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.secured.plain.sasl.jaas.config": f'{LOGIN} user_{WORKER}="right";',
}


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
