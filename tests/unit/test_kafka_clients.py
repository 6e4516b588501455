"""The same security for librdkafka and for Faust, whatever the protocol."""

import logging
import ssl
from pathlib import Path

import pytest
from confluent_kafka import Producer
from faust.auth import SASLCredentials, SSLCredentials
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from pydantic import SecretStr

from schemas.errors import ConfigError
from streams.kafka.clients import faust_credentials, librdkafka_config
from streams.settings import Settings

# A certificate that is its own authority and is trusted nowhere, and its key, encrypted.
TLS = Path(__file__).parent / "tls"
CERTIFICATE, KEY, KEY_PASSWORD = TLS / "certificate.pem", TLS / "key.pem", "not a secret"


def make_sasl(protocol: str, **more: object) -> Settings:
    """Settings with SASL credentials."""
    return Settings.model_validate(
        {
            "kafka_security_protocol": protocol,
            "kafka_sasl_mechanism": "SCRAM-SHA-512",
            "kafka_sasl_username": "worker",
            "kafka_sasl_password": "pass word",
            **more,
        }
    )


def test_plaintext_needs_no_credentials() -> None:
    """Nothing but the address goes to librdkafka, and None to Faust."""
    settings = Settings(kafka_bootstrap_servers="kafka:9092", app_id="app")
    config = librdkafka_config(settings)

    assert config["bootstrap.servers"] == "kafka:9092"
    assert config["client.id"] == "app"
    assert config["security.protocol"] == "PLAINTEXT"
    assert not [name for name in config if name.startswith(("sasl.", "ssl."))]
    assert faust_credentials(settings) is None


def test_extra_settings_keep_librdkafkas_names_and_win() -> None:
    """A client says what it needs besides, and may override what is ours."""
    config = librdkafka_config(Settings(), **{"group.id": "g", "client.id": "other"})

    assert config["group.id"] == "g"
    assert config["client.id"] == "other"


def test_sasl_without_tls() -> None:
    """Mechanism, user and password reach both clients."""
    settings = make_sasl("SASL_PLAINTEXT")
    config, credentials = librdkafka_config(settings), faust_credentials(settings)

    assert config["security.protocol"] == "SASL_PLAINTEXT"
    assert config["sasl.mechanism"] == "SCRAM-SHA-512"
    assert config["sasl.username"] == "worker"
    assert config["sasl.password"] == "pass word"
    assert credentials_to_aiokafka_auth(credentials) == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "worker",
        "sasl_plain_password": "pass word",
        "ssl_context": None,
    }


def test_sasl_over_tls_checks_the_brokers_certificate() -> None:
    """Faust gets SASL_SSL with a context that trusts our authority and insists on the host's name."""
    settings = make_sasl("SASL_SSL", kafka_ssl_ca_location=CERTIFICATE)
    credentials = faust_credentials(settings)

    assert isinstance(credentials, SASLCredentials)
    assert credentials_to_aiokafka_auth(credentials)["security_protocol"] == "SASL_SSL"
    assert credentials.ssl_context is not None
    assert credentials.ssl_context.verify_mode is ssl.CERT_REQUIRED
    assert credentials.ssl_context.check_hostname
    assert len(credentials.ssl_context.get_ca_certs()) == 1
    assert librdkafka_config(settings)["ssl.ca.location"] == str(CERTIFICATE)


def test_tls_with_a_client_certificate() -> None:
    """The certificate, its encrypted key and the password reach both clients."""
    settings = Settings(
        kafka_security_protocol="SSL",
        kafka_ssl_certificate_location=CERTIFICATE,
        kafka_ssl_key_location=KEY,
        kafka_ssl_key_password=SecretStr(KEY_PASSWORD),
    )
    config, credentials = librdkafka_config(settings), faust_credentials(settings)

    assert config["ssl.certificate.location"] == str(CERTIFICATE)
    assert config["ssl.key.location"] == str(KEY)
    assert config["ssl.key.password"] == KEY_PASSWORD
    assert isinstance(credentials, SSLCredentials)
    assert isinstance(credentials.context, ssl.SSLContext)


def test_a_folder_of_authorities_is_taken_too(tmp_path: Path) -> None:
    """`KAFKA_SSL_CA_LOCATION` may name a folder, as in librdkafka."""
    credentials = faust_credentials(Settings(kafka_security_protocol="SSL", kafka_ssl_ca_location=tmp_path))

    assert isinstance(credentials, SSLCredentials)


@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_key_that_cannot_be_read_is_a_config_error_without_the_password(password: str | None) -> None:
    """Neither a question on the terminal nor a secret in the error."""
    settings = Settings.model_validate(
        {
            "kafka_security_protocol": "SSL",
            "kafka_ssl_certificate_location": CERTIFICATE,
            "kafka_ssl_key_location": KEY,
            "kafka_ssl_key_password": password,
        }
    )

    with pytest.raises(ConfigError, match="KAFKA_SSL_") as raised:
        faust_credentials(settings)
    assert "wrong" not in str(raised.value)


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
def test_librdkafka_knows_every_name_we_give_it(protocol: str) -> None:
    """A client can be made for each protocol; it connects only later."""
    settings = make_sasl(
        protocol,
        kafka_bootstrap_servers="127.0.0.1:1",
        kafka_ssl_ca_location=CERTIFICATE,
        kafka_ssl_certificate_location=CERTIFICATE,
        kafka_ssl_key_location=KEY,
        kafka_ssl_key_password=KEY_PASSWORD,
    )

    producer = Producer(librdkafka_config(settings))

    assert isinstance(producer, Producer)


def test_librdkafkas_lines_go_to_logging(caplog: pytest.LogCaptureFixture) -> None:
    """A broker that does not answer is a log record, not a raw line on stderr."""
    producer = Producer(librdkafka_config(Settings(kafka_bootstrap_servers="127.0.0.1:1")))
    with caplog.at_level(logging.DEBUG):
        for _ in range(20):  # the refusal may take its time on a busy machine
            producer.poll(1.0)
            if any(record.name == "kafka.librdkafka" for record in caplog.records):
                break

    assert any(record.name == "kafka.librdkafka" for record in caplog.records)
