"""The ULID is the fingerprint in Crockford's letters, no more and no less."""

from hypothesis import given
from hypothesis import strategies as st

from agents.steps.fingerprint import ulid_of

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # pragma: allowlist secret - an alphabet
FINGERPRINTS = st.binary(min_size=16, max_size=16)


@given(FINGERPRINTS)
def test_it_is_26_letters_that_customer_io_takes(fingerprint: bytes) -> None:
    """A ULID of 128 bits starts with 0 to 7."""
    ulid = ulid_of(fingerprint)

    assert (len(ulid), set(ulid) <= set(CROCKFORD), ulid[0] in "01234567") == (26, True, True)


@given(FINGERPRINTS)
def test_it_holds_every_bit(fingerprint: bytes) -> None:
    """Read as a number in base 32 it is the fingerprint: two events never share one by accident."""
    number = 0
    for letter in ulid_of(fingerprint):
        number = number * 32 + CROCKFORD.index(letter)

    assert number.to_bytes(16, "big") == fingerprint
