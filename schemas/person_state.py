"""What the ledger remembers of a person, and its 50 bytes on the ledger topic and in memory."""

import struct
from typing import NamedTuple

_LAYOUT = struct.Struct(">B16s9sqqq")
_WITHOUT_OFFSET = struct.Struct(">B16s9sqq")  # the 42 bytes of older workers, kept for ever
_OPTED_OUT, _DELETED, _DELIVERED, _VERSIONED, _TIMED = 1, 2, 4, 8, 16
_NO_FINGERPRINT = bytes(16)
_NO_OFFSET = -1
_UNKNOWN_OFFSET = _NO_OFFSET.to_bytes(8, "big", signed=True)


class PersonState(NamedTuple):
    """What was last delivered for a person.

    `fingerprint` is that of the last delivered change; `version` and `occurred_ms` are the highest delivered so far,
    None while there was none; `sent_s` is the highest `timestamp` sent, in unix seconds; `offset` is where
    the newest delivered change stood on `user-changes`, None where that is not known.
    """

    fingerprint: bytes | None = None
    version: int | None = None
    occurred_ms: int | None = None
    sent_s: int = 0
    opted_out: bool = False
    deleted: bool = False
    offset: int | None = None


UNKNOWN = PersonState()


def highest(known: int | None, new: int | None) -> int | None:
    """The higher of two numbers of which each may not be known."""
    if known is None or new is None:
        return new if known is None else known
    return max(known, new)


def following(known: PersonState, newer: PersonState) -> PersonState:
    """`newer`, which was written after `known` and perhaps without knowing it: what never falls does not fall."""
    return newer._replace(
        version=highest(known.version, newer.version),
        occurred_ms=highest(known.occurred_ms, newer.occurred_ms),
        sent_s=max(known.sent_s, newer.sent_s),
        deleted=known.deleted or newer.deleted,
    )


def pack(state: PersonState) -> bytes:
    """The bytes that `unpack` reads."""
    flags = (
        state.opted_out * _OPTED_OUT
        | state.deleted * _DELETED
        | (state.fingerprint is not None) * _DELIVERED
        | (state.version is not None) * _VERSIONED
        | (state.occurred_ms is not None) * _TIMED
    )
    return _LAYOUT.pack(
        flags,
        state.fingerprint or _NO_FINGERPRINT,
        (state.version or 0).to_bytes(9, "big", signed=True),
        state.occurred_ms or 0,
        state.sent_s,
        _NO_OFFSET if state.offset is None else state.offset,
    )


def unpack(data: bytes) -> PersonState:
    """The state that was packed into `data`."""
    if len(data) == _WITHOUT_OFFSET.size:
        data += _UNKNOWN_OFFSET
    flags, fingerprint, version, occurred_ms, sent_s, offset = _LAYOUT.unpack(data)
    return PersonState(
        fingerprint if flags & _DELIVERED else None,
        int.from_bytes(version, "big", signed=True) if flags & _VERSIONED else None,
        occurred_ms if flags & _TIMED else None,
        sent_s,
        bool(flags & _OPTED_OUT),
        bool(flags & _DELETED),
        None if offset == _NO_OFFSET else offset,
    )


def is_out(data: bytes) -> tuple[bool, bool]:
    """Whether the person is deleted, and whether opted out: all that an event asks, without unpacking the rest."""
    return bool(data[0] & _DELETED), bool(data[0] & _OPTED_OUT)
