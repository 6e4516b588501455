"""Signatures: what is signed, with which keys, and when these are read again."""

import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.settings import Settings, SettingsError, load_settings
from streams.webhooks.signatures import SigningKeys, may_be_signature, require_signing_key, sign

BODY = b'{"event_id":"01E4"}'


def is_signed(keys: SigningKeys, signature: bytes, *parts: bytes) -> bool:
    """Whether it fits a body that comes in these parts, at the time 7."""
    verification = keys.begin(b"7")
    for part in parts:
        verification.add(part)
    return verification.is_signed(signature)


def keys_of(text: str) -> SigningKeys:
    """These keys, from the environment."""
    return SigningKeys(load_settings({"CUSTOMERIO_WEBHOOK_SIGNING_KEY": text}))


def test_what_is_signed_is_as_documented() -> None:
    """Version, timestamp and the raw body, with colons between."""
    expected = hmac.new(b"key", b"v0:7:" + BODY, hashlib.sha256).hexdigest().encode()

    assert expected == sign("key", timestamp=b"7", body=[BODY])


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_parts_are_as_good_as_a_whole(parts: list[bytes]) -> None:
    """However a body arrives."""
    assert is_signed(keys_of("key"), sign("key", timestamp=b"7", body=[b"".join(parts)]), *parts)


@given(st.binary(max_size=80))
def test_nothing_else_is_a_signature(given_bytes: bytes) -> None:
    """Whatever bytes a header holds; they are compared and never decoded."""
    assert not is_signed(keys_of("key other"), given_bytes, BODY)


@pytest.mark.parametrize("key", ["one", "two", "three"])
def test_each_of_several_keys_counts(key: str) -> None:
    """Separated by blanks or line breaks."""
    keys = keys_of("one two\nthree\n")

    assert is_signed(keys, sign(key, timestamp=b"7", body=[BODY]), BODY)
    assert is_signed(keys, b"v0=" + sign(key, timestamp=b"7", body=[BODY]), BODY)
    assert not is_signed(keys, sign(key, timestamp=b"8", body=[BODY]), BODY)


def test_a_file_is_read_again_when_somebody_asks(tmp_path: Path) -> None:
    """Bad content changes nothing; good content is news to everybody who began before."""
    path = tmp_path / "key"
    path.write_text("one")
    keys = SigningKeys(load_settings({"CUSTOMERIO_WEBHOOK_SIGNING_KEY_FILE": str(path)}))
    first, second = keys.begin(b"7"), keys.begin(b"7")
    path.write_text("schlüssel")
    assert not keys.renewed(first)
    path.write_text("one\ntwo")

    assert [True, True, False] == [keys.renewed(first), keys.renewed(second), keys.renewed(keys.begin(b"7"))]
    assert is_signed(keys, sign("two", timestamp=b"7", body=[BODY]), BODY)


@pytest.mark.parametrize("given_bytes", [b"", b"0" * 63, b"0" * 65, b"A" * 64, b"g" * 64, b"0" * 64 + b"\n"])
def test_what_cannot_be_a_signature_is_known_at_once(given_bytes: bytes) -> None:
    """Before the body has come."""
    assert not may_be_signature(given_bytes)
    assert may_be_signature(sign("key", timestamp=b"7", body=[BODY]))
    assert may_be_signature(b"v0=" + b"0" * 64)


def test_without_a_key_nothing_starts() -> None:
    """Everything would be a forgery."""
    with pytest.raises(SettingsError, match=r"^CUSTOMERIO_WEBHOOK_SIGNING_KEY: is missing"):
        require_signing_key(Settings())
