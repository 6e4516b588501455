"""Packing loses nothing, keeps the order and never makes a request too large."""

from itertools import pairwise

import orjson
from hypothesis import given
from hypothesis import strategies as st

from agents.steps.pack import batch_body, fits, pack
from schemas.delivery import Parcel

BYTES_MAX = 200
BODIES = st.binary(min_size=0, max_size=40).map(lambda data: orjson.dumps(data.hex()))
PARCELS = st.lists(st.lists(BODIES, min_size=1, max_size=2).map(lambda bodies: Parcel(tuple(bodies))))


@given(PARCELS)
def test_what_is_packed_comes_out_again(parcels: list[Parcel]) -> None:
    """The items of all requests, one after the other, are those of all parcels."""
    items = [item for part, _ in pack(parcels, bytes_max=BYTES_MAX) for item in orjson.loads(batch_body(part))["batch"]]

    assert [orjson.loads(body) for parcel in parcels for body in parcel.bodies] == items


@given(PARCELS)
def test_a_request_is_as_full_as_it_may_be(parcels: list[Parcel]) -> None:
    """Only a single parcel may be over the limit, and no part could have taken the next parcel in."""
    parts = list(pack(parcels, bytes_max=BYTES_MAX))

    assert all(len(part) == 1 or len(batch_body(part)) < BYTES_MAX for part, _ in parts)
    assert [parcel for part, _ in parts for parcel in part] == parcels
    for (part, _), (following, _) in pairwise(parts):
        assert len(batch_body([*part, following[0]])) >= BYTES_MAX


@given(PARCELS, PARCELS)
def test_parts_that_fit_together_make_a_request_that_is_not_too_large(one: list[Parcel], other: list[Parcel]) -> None:
    """`fits` is right for whatever two lanes hand over."""
    for (part, size), (joining, added) in zip(pack(one), pack(other), strict=False):
        body = batch_body([*part, *joining])

        assert fits(size, added, bytes_max=BYTES_MAX) == (len(body) < BYTES_MAX)
