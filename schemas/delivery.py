"""What is handed to the courier, and what it says of it."""

from typing import NamedTuple


class Parcel(NamedTuple):
    """What goes to Customer.io in one go for one person.

    `bodies` are items of `/api/v2/batch`, kept together and in this order; of an `anonymous` parcel the only one is the
    body of `POST /api/v1/events`.
    """

    bodies: tuple[bytes, ...]
    anonymous: bool = False


class Verdict(NamedTuple):
    """What Customer.io answered for one parcel: accepted, or refused for a reason of the parcel's own.

    `status` and `attempts` are those of the request that carried it. Faults that are not the parcel's never become a
    verdict: the courier waits for them to pass.
    """

    accepted: bool
    status: int
    attempts: int
    detail: str | None = None
