"""What counts as a duplicate: the digest of an operation's canonical JSON, and the ULID made of it."""

from hashlib import blake2b

from ulid import base32

FINGERPRINT_BYTES = 16


def fingerprint(canonical: bytes) -> bytes:
    """Digest the canonical JSON of what makes an operation this one and no other."""
    return blake2b(canonical, digest_size=FINGERPRINT_BYTES).digest()


def ulid_of(fingerprint: bytes) -> str:
    """Give the fingerprint as 26 Crockford characters, the event's id at Customer.io."""
    return base32.encode(fingerprint)
