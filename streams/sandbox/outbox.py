"""Every message that was asked for, as its person would get it, and the ones that nobody gets; bounded.

It never decides: the mailroom tells it what happened.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import orjson

from streams.sandbox.message import Channel
from streams.sandbox.operation import Identifier

DELIVERIES_MAX: Final = 100_000
CHARACTERS_MAX: Final = 64_000_000
"""Beyond either, the oldest are dropped, and counted in `dropped`."""

Status: TypeAlias = Literal[
    "sent", "scheduled", "draft", "suppressed", "unsubscribed", "no_address", "unknown_person", "not_fetched"
]
"""Only what is `sent` reaches anybody."""


@dataclass(slots=True, kw_only=True, eq=False)
class Delivery:
    """One message to one person. Times are unix seconds; `missing` are placeholders that had no value."""

    seq: int
    queued_at: float
    channel: Channel
    identifier: Identifier | None
    status: Status = "sent"
    template: int | str | None = None
    broadcast: int | None = None
    trigger: int | None = None
    campaign: int | None = None
    trigger_event_id: str | None = None
    send_at: int | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    sender: str = ""
    subject: str = ""
    body: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    is_whole: bool = True

    @property
    def delivery_id(self) -> str:
        """What a caller is told."""
        return f"sandbox-{self.seq:012d}"

    def as_json(self) -> dict[str, Any]:
        """Return the delivery as the views show it."""
        who = None if self.identifier is None else {self.identifier.kind: self.identifier.value}
        return {
            "seq": self.seq,
            "delivery_id": self.delivery_id,
            "queued_at": self.queued_at,
            "send_at": self.send_at,
            "channel": self.channel,
            "status": self.status,
            "identifiers": who,
            "to": self.to,
            "cc": self.cc,
            "bcc": self.bcc,
            "from": self.sender,
            "subject": self.subject,
            "body": self.body,
            "attachments": self.attachments,
            "data": self.data,
            "transactional_message_id": self.template,
            "broadcast_id": self.broadcast,
            "trigger_id": self.trigger,
            "campaign_id": self.campaign,
            "trigger_event_id": self.trigger_event_id,
            "missing": self.missing,
            "is_whole": self.is_whole,
        }


class Outbox:
    """Counts all, keeps the newest."""

    def __init__(self, *, deliveries_max: int = DELIVERIES_MAX, characters_max: int = CHARACTERS_MAX) -> None:
        self.count = 0
        self.ends: Counter[str] = Counter()
        """By status, exact."""

        self.listeners: list[Callable[[Delivery], None]] = []
        """They are told of each message, and again when what it waited for has come."""

        self._deliveries_max = deliveries_max
        self._characters_max = characters_max
        self._characters = 0
        self._kept: deque[tuple[Delivery, int]] = deque()

    @property
    def dropped(self) -> int:
        """How many are no longer kept."""
        return self.count - len(self._kept)

    def next_seq(self) -> int:
        """Number a message that is put in next."""
        return self.count + 1

    def put(self, delivery: Delivery) -> None:
        """Keep a message."""
        self.count += 1
        self.ends[delivery.status] += 1
        size = _size(delivery)
        self._kept.append((delivery, size))
        self._characters += size
        while len(self._kept) > self._deliveries_max or (
            self._characters > self._characters_max and len(self._kept) > 1
        ):
            self._characters -= self._kept.popleft()[1]
        self._tell(delivery)

    def end(self, delivery: Delivery, status: Status) -> None:
        """Note what became of a message that waited."""
        self.ends[delivery.status] -= 1
        self.ends[status] += 1
        delivery.status = status
        self._tell(delivery)

    def after(self, seq: int) -> Iterator[Delivery]:
        """Yield the kept messages that came after number `seq`."""
        return (delivery for delivery, _ in tuple(self._kept) if delivery.seq > seq)

    def newest(self, count: int) -> list[Delivery]:
        """Return the last ones, the newest first."""
        return [self._kept[-place][0] for place in range(1, min(count, len(self._kept)) + 1)]

    def _tell(self, delivery: Delivery) -> None:
        for listener in self.listeners:
            listener(delivery)


def _size(delivery: Delivery) -> int:
    return len(delivery.subject) + len(delivery.body) + len(orjson.dumps(delivery.data))
