"""The bytes that remember a person."""

import struct

import pytest

from schemas.person_state import UNKNOWN, PersonState, following, is_out, pack, unpack

FINGERPRINT = bytes(range(16))


def test_a_state_takes_50_bytes() -> None:
    """A million persons fit into memory."""
    largest = PersonState(FINGERPRINT, 7, 7, 7, opted_out=True, deleted=True, offset=7)

    assert len(pack(UNKNOWN)) == len(pack(largest)) == 50


OF_OLD = "1d" + FINGERPRINT.hex() + "fffffffffffffffffe" + "00000000000003e8" + "0000000000000005"


def test_the_layout_is_what_older_workers_wrote() -> None:
    """The ledger is kept for ever: these very bytes must be readable after any upgrade."""
    state = PersonState(FINGERPRINT, -2, 1_000, 5, opted_out=True, deleted=False, offset=6)
    written = OF_OLD + "0000000000000006"

    assert (pack(state).hex(), unpack(bytes.fromhex(written))) == (written, state)


def test_what_was_written_without_an_offset_is_read() -> None:
    """Those entries are shorter, and their offset is not known."""
    state = PersonState(FINGERPRINT, -2, 1_000, 5, opted_out=True, deleted=False)

    assert unpack(bytes.fromhex(OF_OLD)) == state
    assert pack(state).hex() == OF_OLD + "ffffffffffffffff"


@pytest.mark.parametrize(
    "state",
    [
        PersonState(version=0),
        PersonState(occurred_ms=0),
        PersonState(fingerprint=bytes(16)),
        PersonState(offset=0),
        PersonState(version=2**64 - 1),
        PersonState(version=-(2**63)),
    ],
)
def test_zero_is_not_nothing(state: PersonState) -> None:
    """A version 0, the year 1970, a fingerprint of zeros and an offset 0 are; the largest integers of JSON fit."""
    assert unpack(pack(state)) == state != UNKNOWN


@pytest.mark.parametrize(("deleted", "opted_out"), [(False, False), (True, False), (False, True), (True, True)])
def test_who_is_out_is_seen_without_unpacking(*, deleted: bool, opted_out: bool) -> None:
    """Other flags do not disturb."""
    state = PersonState(FINGERPRINT, 1, 1, 1, opted_out=opted_out, deleted=deleted)

    assert is_out(pack(state)) == (deleted, opted_out)


@pytest.mark.parametrize("size", [0, 41, 43, 49, 51])
def test_other_sizes_are_not_read(size: int) -> None:
    """A broken ledger crashes the worker rather than being guessed at."""
    with pytest.raises(struct.error):
        unpack(bytes(size))


def test_what_never_falls_does_not_when_one_state_follows_another() -> None:
    """All else is that of the newer one, an opt-in too."""
    known = PersonState(FINGERPRINT, 9, None, 7, opted_out=True, deleted=True, offset=30)
    newer = PersonState(None, 8, 1_000, 5, opted_out=False, deleted=False, offset=20)

    assert following(known, newer) == PersonState(None, 9, 1_000, 7, opted_out=False, deleted=True, offset=20)
    assert following(UNKNOWN, known) == known
