"""Customer.io's signature of a webhook: hex HMAC-SHA256 over `v0:`, the timestamp, `:` and the body as it came."""

import hmac
import re
from collections.abc import Iterable, Sequence
from typing import Final

from streams.customerio.credentials import Credentials
from streams.settings import Settings, SettingsError

SIGNATURE_HEADER: Final = b"x-cio-signature"
TIMESTAMP_HEADER: Final = b"x-cio-timestamp"
VERSION_PREFIX: Final = b"v0="
SETTING: Final = "customerio_webhook_signing_key"
_SIGNATURE: Final = re.compile(rb"[0-9a-f]{64}")


def sign(key: str, *, timestamp: bytes, body: Iterable[bytes]) -> bytes:
    """Give the signature; the body may be in parts, so that a huge one need not be in memory."""
    digest = hmac.new(key.encode(), b"v0:" + timestamp + b":", "sha256")
    for part in body:
        digest.update(part)
    return digest.hexdigest().encode()


def require_signing_key(settings: Settings) -> None:
    """Insist on a signing key: without one nothing could be told from a forgery.

    Raises:
        SettingsError: there is none.
    """
    if settings.customerio_webhook_signing_key is None:
        raise SettingsError(f"{SETTING.upper()}: is missing, expected the signing key of the reporting webhook")


class SigningKeys:
    """The keys as they are now; while one follows another there are several, and each is as good."""

    def __init__(self, settings: Settings, credentials: Credentials | None = None) -> None:
        self._credentials = credentials or Credentials(settings, [SETTING])

    def begin(self, timestamp: bytes) -> "Verification":
        """Begin to verify a body that comes in parts."""
        return Verification(self._current(), timestamp)

    def renewed(self, verification: "Verification") -> bool:
        """Look at the files at once; whether there are other keys than this one began with.

        A webhook may be signed with a key that was put into its file this very moment, and a refusal costs an hour.
        """
        self._credentials.look()
        return self._current() != verification.keys

    def _current(self) -> Sequence[str]:
        return self._credentials.current()[0].split()


def may_be_signature(given: bytes) -> bool:
    """Whether it looks like one at all: who sends anything else need not be listened to."""
    return _SIGNATURE.fullmatch(given.removeprefix(VERSION_PREFIX)) is not None


class Verification:
    """The signatures that a body may have by these keys, made while it arrives."""

    def __init__(self, keys: Sequence[str], timestamp: bytes) -> None:
        self.keys = keys
        self._digests = [hmac.new(key.encode(), b"v0:" + timestamp + b":", "sha256") for key in keys]

    def add(self, part: bytes) -> None:
        """Take the next part of the body."""
        for digest in self._digests:
            digest.update(part)

    def is_signed(self, signature: bytes) -> bool:
        """Whether one of the keys made this signature of what was taken; how long that takes tells nothing."""
        given = signature.removeprefix(VERSION_PREFIX)
        fits = [hmac.compare_digest(digest.hexdigest().encode(), given) for digest in self._digests]
        return any(fits)
