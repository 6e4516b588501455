"""How to reach Kafka with the settings' security, for librdkafka's clients and for Faust."""

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from schemas.errors import ConfigError, UnavailableError
from streams.kafka.tls import ssl_context
from streams.kafka.unreachable import advice
from streams.settings import Settings

if TYPE_CHECKING:
    from faust.auth import Credentials

LIBRDKAFKA_LOGGER: Final = "kafka.librdkafka"
RECONNECT_MS_MAX: Final = 1_000  # by default 10 s: so long would work stand still after an outage
CONNECT_S: Final = 10.0
CONNECT_ATTEMPTS: Final = 10
REBOOTSTRAP: Final = {"metadata.recovery.strategy": "rebootstrap"}
"""For producers without transactions, which live long and wait for no coordinator: a broker that comes back from a long
pause names no brokers at first, and who then forgets the last one it knew must begin again at the bootstrap servers."""

_OPTION: Final = re.compile(r"\b(?:security|sasl|ssl)(?:\.[a-z]+)+")


def librdkafka_config(settings: Settings, **extra: Any) -> dict[str, Any]:  # noqa: ANN401 - librdkafka's values vary
    """Give what any confluent-kafka client needs to connect, plus `extra` by librdkafka's names (`**{"group.id": …}`).

    librdkafka's own lines go to our logging when the client is polled, never to stderr by themselves.
    """
    reach = {
        "bootstrap.servers": settings.bootstrap,
        "client.id": settings.app_id,
        "logger": logging.getLogger(LIBRDKAFKA_LOGGER),
        # By default, when no broker can be reached it forgets all it knows and starts over, and a call that waits for
        # a coordinator, of a group or of transactions, then waits for ever, whatever its time-out (librdkafka issues
        # 5456 and 5511). So a client may lose its brokers for good: none of ours outlives its first time-out.
        "metadata.recovery.strategy": "none",
        "reconnect.backoff.max.ms": RECONNECT_MS_MAX,
    }
    return reach | _security(settings) | extra


def connected_admin(settings: Settings) -> AdminClient:
    """Give an admin client that has reached the cluster.

    Raises:
        SettingsError: a certificate or key cannot be used.
        ConfigError: librdkafka refuses the settings.
        UnavailableError: the cluster cannot be reached, with the reason that librdkafka gives.
    """
    ssl_context(settings)  # tells better than librdkafka what is wrong with a file
    errors: list[KafkaError] = []
    silent = logging.getLogger(f"{LIBRDKAFKA_LOGGER}.connecting")
    silent.disabled = True  # the reason goes into the error, once
    try:
        admin = AdminClient(librdkafka_config(settings, logger=silent, error_cb=errors.append))
    except KafkaException as error:
        raise ConfigError(f"KAFKA_*: {_by_our_names(error.args[0].str())}") from error
    for attempt in range(CONNECT_ATTEMPTS):
        try:
            admin.list_topics(timeout=CONNECT_S / CONNECT_ATTEMPTS)
        except KafkaException as error:
            admin.poll(0)  # serves the callback
            # Down twice in a row is down: waiting longer helps where answers are slow, not where they are refusals.
            if attempt == CONNECT_ATTEMPTS - 1 or (attempt and _are_down(errors)):
                raise UnavailableError(_unreachable(settings, [*errors, error.args[0]])) from error
        else:
            break
    return admin


def _are_down(errors: Sequence[KafkaError]) -> bool:
    return any(error.code() == KafkaError._ALL_BROKERS_DOWN for error in errors)  # noqa: SLF001 - its public name


def _unreachable(settings: Settings, errors: Sequence[KafkaError]) -> str:
    hint = "" if settings.kafka_bootstrap_servers else " (KAFKA_BOOTSTRAP_SERVERS is not set)"
    told = ": ".join(part for part in (_by_our_names(errors[0].str()), advice(settings, errors)) if part)
    return f"Kafka at {settings.bootstrap}{hint} cannot be reached: {told}"


def _by_our_names(text: str) -> str:
    """What librdkafka says, with our settings' names for its options."""
    return _OPTION.sub(lambda found: f"KAFKA_{found[0].upper().replace('.', '_')}", text)


def faust_credentials(settings: Settings) -> "Credentials | None":
    """Give `faust.App(broker_credentials=…)` for the same security, None for plaintext.

    Raises:
        SettingsError: a certificate or key cannot be used.
    """
    from faust.auth import SASLCredentials, SSLCredentials  # noqa: PLC0415 - 0.3 s that only the worker should pay

    context = ssl_context(settings)
    if settings.kafka_security_protocol.startswith("SASL"):
        return SASLCredentials(
            username=settings.kafka_sasl_username,
            password=_plain(settings.kafka_sasl_password),
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    # Always with a context of ours: SSLCredentials builds its own with a purpose of None, which raises a TypeError.
    return SSLCredentials(context=context) if context else None


def _security(settings: Settings) -> dict[str, str]:
    found = {
        "security.protocol": settings.kafka_security_protocol,
        "sasl.mechanism": settings.kafka_sasl_mechanism,
        "sasl.username": settings.kafka_sasl_username,
        "sasl.password": _plain(settings.kafka_sasl_password),
        "ssl.ca.location": settings.kafka_ssl_ca_location,
        "ssl.certificate.location": settings.kafka_ssl_certificate_location,
        "ssl.key.location": settings.kafka_ssl_key_location,
        "ssl.key.password": _plain(settings.kafka_ssl_key_password),
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
