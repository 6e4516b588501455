"""The settings' certificates as Python's TLS has them: for Faust's consumer, and to say what is wrong with them.

librdkafka reads the same files by itself, but does not tell a wrong password from a wrong file.
"""

import ssl
from pathlib import Path
from typing import Final

from streams.settings import Settings, SettingsError

_MISMATCH: Final = "KEY_VALUES_MISMATCH"


def ssl_context(settings: Settings) -> ssl.SSLContext | None:
    """Give what both clients are to trust and to show; None without TLS.

    Raises:
        SettingsError: a file is not what it should be, with the setting that names it.
    """
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    context = _trusting(settings.kafka_ssl_ca_location)
    # From Python 3.13 on it refuses authorities that librdkafka accepts: one client would work, and the other not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    certificate, key = settings.kafka_ssl_certificate_location, settings.kafka_ssl_key_location
    if certificate is not None and key is not None:
        secret = settings.kafka_ssl_key_password
        _show(context, certificate, key, None if secret is None else secret.get_secret_value())
    return context


def _trusting(authorities: Path | None) -> ssl.SSLContext:
    try:
        if authorities is not None and authorities.is_dir():
            return ssl.create_default_context(capath=authorities)
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise SettingsError("KAFKA_SSL_CA_LOCATION: holds no certificate, expected authorities as PEM") from error


def _show(context: ssl.SSLContext, certificate: Path, key: Path, password: str | None) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except (OSError, ValueError) as error:
        raise SettingsError("KAFKA_SSL_CERTIFICATE_LOCATION: holds no certificate, expected ours as PEM") from error
    try:
        # Without a password given, OpenSSL asks on the terminal for one; an empty one makes it fail instead.
        context.load_cert_chain(certificate, key, password=password or "")
    except (OSError, ValueError) as error:
        if getattr(error, "reason", None) == _MISMATCH:
            what = "is the key of another certificate, expected that of KAFKA_SSL_CERTIFICATE_LOCATION"
        elif password is None:
            what = "holds no key that can be read, expected one as PEM, or KAFKA_SSL_KEY_PASSWORD if it is encrypted"
        else:
            what = "holds no key that KAFKA_SSL_KEY_PASSWORD opens, expected one as PEM and its password"
        raise SettingsError(f"KAFKA_SSL_KEY_LOCATION: {what}") from error
