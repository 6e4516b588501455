"""What a record means for Customer.io, once decoded and translated and before anything is decided about it.

What is made for every record is a tuple: three times as fast to make as a frozen dataclass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from schemas.outcome import OperationName
from schemas.record import Record
from schemas.replayed import Replayed
from schemas.send_memory import SendKind, SendPlace, send_key

ChangeKind: TypeAlias = Literal["identify", "opt_out", "delete"]


class Change(NamedTuple):
    """A valid user change.

    `attributes` are those of the identify, on one level, `last_seen_at` included; empty for other kinds.
    `opts_in` is true when a preference of the record is true.
    `version` and `occurred_ms` (unix milliseconds) order the changes of a person; None where the record names none.
    `time_s` is `occurred_at`, else the Kafka timestamp, in unix seconds rounded down: what Customer.io is told.
    `fingerprint` is the 16 bytes of the last operation that this change would send.
    `replayed` is None for what comes from the live topic.
    """

    record: Record
    user_id: str
    kind: ChangeKind
    opts_in: bool
    attributes: Mapping[str, object]
    version: int | None
    occurred_ms: int | None
    time_s: int
    fingerprint: bytes
    replayed: Replayed | None = None


class Event(NamedTuple):
    """A valid domain event; exactly one of `user_id` and `anonymous_id` is set.

    `body` is the JSON to send: an item of `/api/v2/batch`, or the whole body of `/api/v1/events` when anonymous.
    `event_id` is the ULID made of `fingerprint` (16 bytes).
    """

    record: Record
    user_id: str | None
    anonymous_id: str | None
    body: bytes
    fingerprint: bytes
    event_id: str


class Send(NamedTuple):
    """A valid transactional message or broadcast trigger.

    `send_id` is its message_id or trigger_id; `target` is the channel, or the broadcast's number; `body` is the JSON to
    send. Sends to one `person`, or of one broadcast, keep their order. `user_id` is None where the person is named in
    another way. `even_if_sent`: an operator wants it sent although it may have been.
    """

    record: Record
    kind: SendKind
    send_id: str
    target: str
    person: str
    user_id: str | None
    operation: OperationName
    body: bytes
    fingerprint: bytes
    even_unsubscribed: bool = False
    even_if_sent: bool = False

    @property
    def key(self) -> bytes:
        """What it is remembered by."""
        return send_key(self.kind, self.send_id.encode())

    @property
    def place(self) -> SendPlace:
        """Where its record stands."""
        return SendPlace(self.record.topic, self.record.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsendable:
    """A record that is at fault by itself: `malformed` or `too_large`; `detail` names the field, never its content."""

    record: Record
    reason: Literal["malformed", "too_large"]
    detail: str
    user_id: str | None = None
    operations: tuple[OperationName, ...] = ()
    fingerprint: bytes | None = None
    event_id: str | None = None
