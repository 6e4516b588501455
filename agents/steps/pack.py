"""How many parcels go into one request to `/api/v2/batch`."""

from collections.abc import Iterator, Sequence

from schemas.delivery import Parcel

BATCH_BYTES_MAX = 500_000  # Customer.io: "smaller than 500kb", taken as decimal and inclusive of the wrapping
_WRAPPING = len(b'{"batch":[]}')


def batch_body(parcels: Sequence[Parcel]) -> bytes:
    """The body of one request."""
    return b'{"batch":[' + b",".join(body for parcel in parcels for body in parcel.bodies) + b"]}"


def added_bytes(parcel: Parcel) -> int:
    """By how much a parcel makes a request's body longer, its commas included."""
    return sum(len(body) + 1 for body in parcel.bodies)


def pack(parcels: Sequence[Parcel], *, bytes_max: int = BATCH_BYTES_MAX) -> Iterator[tuple[Sequence[Parcel], int]]:
    """Cut `parcels`, in order, into parts that each fit one request; with each the bytes that it adds to a body.

    A parcel is never divided, and no part is empty. A parcel of at most two 32,000-byte items always fits.
    """
    first, size = 0, 0
    for index, parcel in enumerate(parcels):
        added = added_bytes(parcel)
        if index > first and _WRAPPING + size + added > bytes_max:
            yield parcels[first:index], size
            first, size = index, 0
        size += added
    if first < len(parcels):
        yield parcels[first:], size


def fits(size: int, added: int, *, bytes_max: int = BATCH_BYTES_MAX) -> bool:
    """Whether a part of `added` bytes may share a request that holds `size` already."""
    return _WRAPPING + size + added <= bytes_max
