"""One valid thing to do, whichever endpoint it came by; and the refusal of one that is not valid. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

Kind = Literal["person", "object", "delivery", "anonymous"]

EVENT_ACTIONS: Final = frozenset({"event", "page", "screen"})


class Identifier(NamedTuple):
    """A name for somebody and its kind: `id`, `email`, `phone`, `cio_id`, `anonymous_id`, or one of an object."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A valid operation. `timestamp` is in unix seconds; `event_id` is an upper-case ULID, None without one."""

    kind: Kind
    action: str
    identifier: Identifier
    attributes: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    event_id: str | None = None
    timestamp: int | None = None
    is_update_only: bool = False
    device: Mapping[str, Any] | None = None
    secondary: Identifier | None = None
    segment: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an item is not accepted: Customer.io's own three words for it."""

    field: str
    message: str
    reason: str = "invalid"


class RefusedError(Exception):
    """An item breaks a rule, or a request as a whole does; whoever answers says so with `status`."""

    def __init__(self, field: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.refusal = Refusal(field=field, message=message)
