"""Says why Kafka could not be reached, and which setting to look at, by knocking at its door once more.

librdkafka often knows only that all brokers are down, or that some certificate could not be verified.
"""

import contextlib
import socket
import ssl
from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError

from streams.kafka.tls import ssl_context
from streams.settings import Settings

KNOCK_S: Final = 2.0
SERVERS_MAX: Final = 3
"""So many are knocked at, until one opens."""

_REFUSED: Final = frozenset(
    {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}  # noqa: SLF001 - its public name
)
_HAS_ENDED: Final = 10  # OpenSSL's numbers for what is wrong with a certificate
_NOT_YET: Final = 9
_OTHER_NAME: Final = frozenset({62, 64})
_PROTOCOL: Final = "it takes connections, so is KAFKA_SECURITY_PROTOCOL what it expects?"


def advice(settings: Settings, errors: Sequence[KafkaError]) -> str:
    """Give what is to be said behind librdkafka's errors; empty when nothing is found out."""
    if any(error.code() in _REFUSED for error in errors):
        return "KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM must be what it expects"
    for server in settings.bootstrap.split(",")[:SERVERS_MAX]:
        host, _, port = server.rpartition(":")
        try:
            knock = socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S)
        except OSError:
            continue
        with knock:
            context = ssl_context(settings)
            return _plain(knock) if context is None else _secured(knock, context, host.strip("[]"), settings)
    return ""


def _plain(knock: socket.socket) -> str:
    anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anything.check_hostname, anything.verify_mode = (
        False,
        ssl.CERT_NONE,
    )  # nothing is said to it, only whether it is TLS
    try:
        anything.wrap_socket(knock).close()
    except TimeoutError:
        return ""  # it does not answer to anything
    except OSError as error:
        return "it expects TLS: KAFKA_SECURITY_PROTOCOL must be SSL or SASL_SSL" if _is_alert(error) else _PROTOCOL
    return "it expects TLS: KAFKA_SECURITY_PROTOCOL must be SSL or SASL_SSL"


def _secured(knock: socket.socket, context: ssl.SSLContext, host: str, settings: Settings) -> str:
    try:
        with context.wrap_socket(knock, server_hostname=host) as secured:
            secured.settimeout(KNOCK_S / 2)
            with contextlib.suppress(TimeoutError):
                secured.recv(1)  # what it thinks of our certificate comes after the handshake
    except ssl.SSLCertVerificationError as error:
        return _mistrusted(error, host)
    except TimeoutError:
        return ""
    except OSError as error:
        if not _is_alert(error):
            return "it does not speak TLS: KAFKA_SECURITY_PROTOCOL must be PLAINTEXT or SASL_PLAINTEXT"
        if settings.kafka_ssl_certificate_location is None:
            return "it wants a certificate of ours: KAFKA_SSL_CERTIFICATE_LOCATION and KAFKA_SSL_KEY_LOCATION"
        return (
            "it refuses our certificate: KAFKA_SSL_CERTIFICATE_LOCATION must be a valid one of an authority it trusts"
        )
    return _PROTOCOL


def _mistrusted(error: ssl.SSLCertVerificationError, host: str) -> str:
    if error.verify_code in (_HAS_ENDED, _NOT_YET):
        return f"the broker's certificate cannot be used today ({error.verify_message}): it must be renewed there"
    if error.verify_code in _OTHER_NAME:
        return (
            f"the broker's certificate is not for {host}: KAFKA_BOOTSTRAP_SERVERS must name it as its certificate does"
        )
    return (
        f"the broker's certificate is not trusted ({error.verify_message}):"
        " KAFKA_SSL_CA_LOCATION must hold the authority that signed it"
    )


def _is_alert(error: OSError) -> bool:
    """Whether it answered in TLS, with a refusal."""
    return isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or "")
