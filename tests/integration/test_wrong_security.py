"""What is wrong with the security settings is told at the start, by the setting's name and without a secret."""

import asyncio
import gc
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, KafkaError
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from schemas.errors import StreamsError
from streams.kafka.clients import connected_admin, faust_credentials
from streams.settings import Settings, SettingsError, load_settings
from tests.integration.authority import Authority
from tests.integration.secured_cluster import EXPIRED, MISNAMED, MTLS, PASSWORD, SCRAM, Secured, secured_cluster
from tests.integration.worker_process import WorkerProcess

USER: Final = "somebody"
WRONG: Final = "not the pass word"
WAIT_S: Final = 30.0
EXPECTED: Final[Mapping[str, str]] = {
    "nothing": "connected",
    "another mechanism": "connected",
    "a certificate": "connected",
    "a wrong password": "KAFKA_SASL_PASSWORD",
    "a wrong user": "KAFKA_SASL_USERNAME",
    "a wrong mechanism": "KAFKA_SASL_MECHANISM",
    "another authority": "KAFKA_SSL_CA_LOCATION must hold the authority",
    "no authority": "KAFKA_SSL_CA_LOCATION must hold the authority",
    "another name": "KAFKA_BOOTSTRAP_SERVERS must name it",
    "a broker's old certificate": "certificate has expired",
    "no certificate": "KAFKA_SSL_CERTIFICATE_LOCATION and KAFKA_SSL_KEY_LOCATION",
    "a certificate of another authority": "KAFKA_SSL_CERTIFICATE_LOCATION must be a valid one",
    "an old certificate": "KAFKA_SSL_CERTIFICATE_LOCATION must be a valid one",
    "plaintext to TLS": "KAFKA_SECURITY_PROTOCOL must be SSL or SASL_SSL",
    "a password in plaintext to TLS": "KAFKA_SECURITY_PROTOCOL must be SSL or SASL_SSL",
    "TLS to plaintext": "KAFKA_SECURITY_PROTOCOL must be PLAINTEXT or SASL_PLAINTEXT",
    "no password": "is KAFKA_SECURITY_PROTOCOL what it expects?",
    "an authority that is none": "KAFKA_SSL_CA_LOCATION: holds no certificate",
    "a certificate that is none": "KAFKA_SSL_CERTIFICATE_LOCATION: holds no certificate",
    "a key that is none": "KAFKA_SSL_KEY_LOCATION: holds no key",
    "another's key": "KAFKA_SSL_KEY_LOCATION: is the key of another certificate",
    "a wrong key password": "KAFKA_SSL_KEY_LOCATION: holds no key that KAFKA_SSL_KEY_PASSWORD opens",
    "no key password": "or KAFKA_SSL_KEY_PASSWORD if it is encrypted",
    "a key without certificate": "KAFKA_SSL_KEY_LOCATION: one without the other",
    "a file that is not there": "KAFKA_SSL_CA_LOCATION: names nothing that can be read",
}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Give one that knows our user."""
    with secured_cluster(tmp_path_factory.mktemp("certificates")) as secured:
        secured.know(USER)
        yield secured


@pytest.fixture(scope="module")
def environments(secured: Secured) -> dict[str, dict[str, str]]:
    """Give what is set, by what is wrong with it."""
    other = Authority("another authority")
    (secured.folder / "other.crt").write_text(other.certificate)
    (secured.folder / "none.pem").write_text("-----BEGIN NOTHING-----")
    by_password, by_certificate = secured.by_password(USER), secured.by_certificate(USER)
    foreign = secured.with_pair("foreign", other.sign(USER))
    none = str(secured.folder / "none.pem")
    return {
        "nothing": by_password,
        "another mechanism": secured.by_password(USER, mechanism="SCRAM-SHA-256"),
        "a certificate": by_certificate,
        "a wrong password": by_password | {"KAFKA_SASL_PASSWORD": WRONG},
        "a wrong user": by_password | {"KAFKA_SASL_USERNAME": "nobody"},
        "a wrong mechanism": by_password | {"KAFKA_SASL_MECHANISM": "PLAIN"},
        "another authority": by_password | {"KAFKA_SSL_CA_LOCATION": str(secured.folder / "other.crt")},
        "no authority": by_password | {"KAFKA_SSL_CA_LOCATION": ""},
        "another name": secured.at(MISNAMED),
        "a broker's old certificate": secured.at(EXPIRED),
        "no certificate": secured.at(MTLS),
        "a certificate of another authority": foreign,
        "an old certificate": secured.with_pair("old", secured.authority.sign(USER, ended=True)),
        "plaintext to TLS": {"KAFKA_BOOTSTRAP_SERVERS": secured.doors[MTLS]},
        "a password in plaintext to TLS": by_password | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
        "TLS to plaintext": by_password | {"KAFKA_BOOTSTRAP_SERVERS": secured.bootstrap},
        "no password": secured.at(SCRAM) | {"KAFKA_SECURITY_PROTOCOL": "SSL"},
        "an authority that is none": by_password | {"KAFKA_SSL_CA_LOCATION": none},
        "a certificate that is none": by_certificate | {"KAFKA_SSL_CERTIFICATE_LOCATION": none},
        "a key that is none": by_certificate | {"KAFKA_SSL_KEY_LOCATION": none},
        "another's key": foreign | {"KAFKA_SSL_CERTIFICATE_LOCATION": by_certificate["KAFKA_SSL_CERTIFICATE_LOCATION"]},
        "a wrong key password": by_certificate | {"KAFKA_SSL_KEY_PASSWORD": WRONG},
        "no key password": by_certificate | {"KAFKA_SSL_KEY_PASSWORD": ""},
        "a key without certificate": by_certificate | {"KAFKA_SSL_CERTIFICATE_LOCATION": ""},
        "a file that is not there": by_password | {"KAFKA_SSL_CA_LOCATION": none + ".gone"},
    }


@pytest.fixture(scope="module")
def told(environments: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Give what a command says of each, having tried all at once."""

    def try_it(environ: Mapping[str, str]) -> str:
        try:
            connected_admin(load_settings(environ))
        except StreamsError as error:
            return str(error)
        return "connected"

    with ThreadPoolExecutor(max_workers=len(environments)) as pool:
        return dict(zip(environments, pool.map(try_it, environments.values()), strict=True))


@pytest.mark.parametrize("what", EXPECTED)
def test_commands_name_the_setting(told: Mapping[str, str], what: str) -> None:
    """In one line, as everything does that reaches Kafka, and workers before they start."""
    assert EXPECTED[what] in told[what]
    assert "\n" not in told[what]
    assert not [secret for secret in (PASSWORD, WRONG) if secret in told[what]]


async def connect(settings: Settings) -> None:
    """Connect as a worker's consumer does."""
    credentials = credentials_to_aiokafka_auth(faust_credentials(settings))
    client = AIOKafkaClient(bootstrap_servers=settings.bootstrap, request_timeout_ms=1_500, **credentials)
    try:
        await client.bootstrap()
    finally:
        await client.close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # aiokafka leaves a handshake that fails to itself
@pytest.mark.parametrize("what", EXPECTED)
def test_the_workers_consumer_agrees(environments: Mapping[str, dict[str, str]], what: str) -> None:
    """It connects where the other client does, and nowhere else."""
    told = "connected"
    try:
        asyncio.run(connect(load_settings(environments[what])))
    except SettingsError as error:
        told = str(error)
        assert EXPECTED[what] in told
    except (KafkaConnectionError, KafkaError) as error:
        told = str(error)
    gc.collect()  # what is left is this test's, and no later one's

    assert ("connected" == told) == ("connected" == EXPECTED[what]), told


@pytest.mark.parametrize(("what", "code"), [("another authority", 1), ("a wrong key password", 2)])
def test_a_worker_ends_with_the_same_line(
    environments: Mapping[str, dict[str, str]], what: str, code: int, tmp_path: Path
) -> None:
    """It does not go on trying: whoever starts it looks now."""
    own = environments[what] | {"CUSTOMERIO_SITE_ID": "site", "CUSTOMERIO_TRACK_API_KEY": "key", "HTTP_PORT": "0"}
    own |= {"CUSTOMERIO_TRACK_URL": "http://127.0.0.1:1", "LOG_FORMAT": "json"}
    with WorkerProcess(own, tmp_path / "worker.log") as worker:
        worker.wait_for(lambda: worker.code is not None, WAIT_S)

    assert code == worker.code
    assert EXPECTED[what] in worker.last_words
    assert not worker.said("Traceback")
    assert not [secret for secret in (PASSWORD, WRONG) if worker.said(secret)]
