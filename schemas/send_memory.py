"""What is remembered of a send: the records of `customerio-ledger-sends`, whose key is the message_id or trigger_id.

Before a send goes out its intent is written, afterwards what became of it: an intent alone means that nobody knows.
"""

from hashlib import blake2b
from typing import Final, Literal, NamedTuple, TypeAlias

import orjson

SendKind: TypeAlias = Literal["message", "trigger"]
Known: TypeAlias = Literal["sent", "ambiguous"]
Step: TypeAlias = Literal["intent", "withdrawn", "concluded"]

_KEY_BYTES: Final = 16


class SendPlace(NamedTuple):
    """Where the record of a send stands, on the partition of its memory."""

    topic: str
    offset: int


class SendEntry(NamedTuple):
    """One record of the ledger.

    `intent`: the record at `place` is about to be sent. `withdrawn`: it was certainly not, and may be tried again.
    `concluded`: its result is out. `known` is what is known of the id from then on, None when it was never sent.
    """

    step: Step
    kind: SendKind
    place: SendPlace
    known: Known | None = None
    delivery_id: str | None = None


class SendState(NamedTuple):
    """What is known of an id, and which record is about to be sent, as far as anybody can tell."""

    known: Known | None = None
    intent: SendPlace | None = None


NEVER_SENT: Final = SendState()


def send_key(kind: SendKind, send_id: bytes) -> bytes:
    """What an id is remembered by: a message and a trigger of the same id are two."""
    return blake2b(send_id, digest_size=_KEY_BYTES, person=kind.encode()).digest()


def pack_entry(entry: SendEntry) -> bytes:
    """The JSON that `unpack_entry` reads."""
    place = {"topic": entry.place.topic, "offset": entry.place.offset}
    told = {"step": entry.step, "kind": entry.kind, **place, "known": entry.known, "delivery_id": entry.delivery_id}
    return orjson.dumps(told)


def unpack_entry(value: bytes) -> SendEntry:
    """The entry that was packed into `value`."""
    told = orjson.loads(value)
    place = SendPlace(told["topic"], told["offset"])
    return SendEntry(told["step"], told["kind"], place, told["known"], told["delivery_id"])
