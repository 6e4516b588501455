"""A broker that lets in only whom it knows: by password (SCRAM over TLS) or by certificate (mTLS), and ACLs for both.

Its other door, without TLS, is for the tests' own preparations.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from streams.kafka.clients import connected_admin
from streams.local_kafka.broker import LocalKafka, free_ports
from streams.local_kafka.launch import Door
from streams.settings import Settings
from tests.integration.authority import Authority, Pair

PASSWORD: Final = 'p4ssw0rd, of "nobody" = 1'  # noqa: S105 - of a broker that lives for a minute
KEY_PASSWORD: Final = "k3y password"  # noqa: S105 - as above
ITERATIONS: Final = 4_096  # the fewest that Kafka takes
HOST: Final = "127.0.0.1"
SCRAM, MTLS, MISNAMED, EXPIRED = "SCRAM", "MTLS", "MISNAMED", "EXPIRED"
PROTOCOLS: Final = {SCRAM: "SASL_SSL", MTLS: "SSL", MISNAMED: "SSL", EXPIRED: "SSL"}
MECHANISMS: Final = {
    "SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256,
    "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """Where it is, by the name of the door, and what a client needs to come in; `folder` holds certificates."""

    bootstrap: str
    doors: Mapping[str, str]
    authority: Authority
    folder: Path

    def at(self, door: str) -> dict[str, str]:
        """The settings by which a client trusts the broker behind a door."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.doors[door],
            "KAFKA_SECURITY_PROTOCOL": PROTOCOLS[door],
            "KAFKA_SSL_CA_LOCATION": str(self.folder / "authority.crt"),
        }

    def by_password(self, user: str, *, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """The settings by which a user comes in with the password."""
        return {
            **self.at(SCRAM),
            "KAFKA_SASL_MECHANISM": mechanism,
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": PASSWORD,
        }

    def by_certificate(self, user: str) -> dict[str, str]:
        """The settings by which a user comes in with a certificate whose key is encrypted."""
        return self.with_pair(user, self.authority.sign(user, password=KEY_PASSWORD)) | {
            "KAFKA_SSL_KEY_PASSWORD": KEY_PASSWORD
        }

    def with_pair(self, name: str, pair: Pair) -> dict[str, str]:
        """The settings by which somebody shows this certificate."""
        certificate, key = pair.save(self.folder, name)
        shown = {"KAFKA_SSL_CERTIFICATE_LOCATION": str(certificate), "KAFKA_SSL_KEY_LOCATION": str(key)}
        return self.at(MTLS) | shown

    def know(self, user: str, *, password: str = PASSWORD) -> None:
        """Give a user this password, for either mechanism."""
        admin = connected_admin(Settings(kafka_bootstrap_servers=self.bootstrap))
        for mechanism in MECHANISMS.values():  # Kafka takes one for each user at a time
            info = ScramCredentialInfo(mechanism, ITERATIONS)
            asked = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, info, password.encode())])
            asked[user].result()


@contextmanager
def secured_cluster(folder: Path) -> Iterator[Secured]:
    """Run one whose certificates are in this folder."""
    authority = Authority("authority of the tests")
    (folder / "authority.crt").write_text(authority.certificate)
    ports = [port for _ in range(2) for port in free_ports()]
    doors = [
        Door(name=name, port=port, advertised_port=port, protocol=protocol)
        for (name, protocol), port in zip(PROTOCOLS.items(), ports, strict=True)
    ]
    with LocalKafka(doors=doors, config=_config(authority)) as broker:
        yield Secured(
            bootstrap=broker.bootstrap,
            doors={door.name: f"{HOST}:{door.port}" for door in doors},
            authority=authority,
            folder=folder,
        )


def _config(authority: Authority) -> dict[str, str]:
    misnamed, expired = f"listener.name.{MISNAMED.lower()}.", f"listener.name.{EXPIRED.lower()}."
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",  # whoever comes through the door without TLS: the tests, and the broker itself
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "listener.name.scram.scram-sha-256.sasl.jaas.config": _LOGIN,
        "listener.name.scram.scram-sha-512.sasl.jaas.config": _LOGIN,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": _value(authority.certificate),
        **_shown("", authority.sign("broker", host=HOST)),
        **_shown(misnamed, authority.sign("broker", host="kafka.example.com")),
        **_shown(expired, authority.sign("broker", host=HOST, ended=True)),
        "listener.name.mtls.ssl.client.auth": "required",
    }


_LOGIN: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


def _shown(prefix: str, pair: Pair) -> dict[str, str]:
    return {
        f"{prefix}ssl.keystore.type": "PEM",
        f"{prefix}ssl.keystore.certificate.chain": _value(pair.certificate),
        f"{prefix}ssl.keystore.key": _value(pair.key),
    }


def _value(pem: str) -> str:
    """As it stands in a properties file, on one line."""
    return pem.strip().replace("\n", "\\n")
