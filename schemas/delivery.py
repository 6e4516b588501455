"""What is handed to the courier, and what it says of it."""

from typing import NamedTuple

from schemas.outcome import DeadReason
from schemas.translated import Send


class Parcel(NamedTuple):
    """What goes to Customer.io in one go for one person.

    `bodies` are items of `/api/v2/batch`, kept together and in this order; of an `anonymous` parcel the only one is the
    body of `POST /api/v1/events`, of a `send` that of its request. Parcels of one `person` keep their order also when a
    request is taken apart.
    """

    bodies: tuple[bytes, ...]
    anonymous: bool = False
    person: str | None = None
    send: Send | None = None


class Verdict(NamedTuple):
    """What became of one parcel: accepted, or for `reason` not, which is then the parcel's own.

    `status` is that of the last request that carried it, None when it had no answer; `attempts` counts them all. Faults
    that are not the parcel's never become a verdict: the courier waits for them to pass. `delivery_id` is what
    Customer.io calls a send.
    """

    accepted: bool
    status: int | None
    attempts: int
    detail: str | None = None
    reason: DeadReason | None = None
    delivery_id: str | None = None
