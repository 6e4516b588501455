"""How parcels are cut into requests, to the byte."""

import orjson
import pytest

from agents.steps.pack import BATCH_BYTES_MAX, added_bytes, batch_body, fits, pack
from schemas.delivery import Parcel


def parcel(*sizes: int) -> Parcel:
    """Items that are JSON strings of these many bytes."""
    return Parcel(tuple(b'"' + b"x" * (size - 2) + b'"' for size in sizes))


def parts(parcels: list[Parcel], bytes_max: int) -> list[int]:
    """How many parcels each part holds."""
    return [len(part) for part, _ in pack(parcels, bytes_max=bytes_max)]


def test_a_body_is_the_batch_of_all_items_in_order() -> None:
    """A parcel of two items is two items of the batch."""
    body = batch_body([Parcel((b'{"n":1}', b'{"n":2}')), Parcel((b'{"n":3}',))])

    assert orjson.loads(body) == {"batch": [{"n": 1}, {"n": 2}, {"n": 3}]}


def test_a_part_stays_below_the_limit() -> None:
    """Customer.io says "smaller than": a body of the limit itself is cut, one byte less is not."""
    pair = [parcel(50), parcel(50)]
    size = len(batch_body(pair))

    assert (parts(pair, size + 1), parts(pair, size)) == ([2], [1, 1])


def test_the_limit_is_customer_ios() -> None:
    """500 kB are decimal: the larger reading would be refused if it is wrong."""
    many = [parcel(31_990)] * 40
    bodies = [batch_body(part) for part, _ in pack(many)]

    assert BATCH_BYTES_MAX == 500_000
    assert max(map(len, bodies)) < 500_000
    assert [len(orjson.loads(body)["batch"]) for body in bodies] == [15, 15, 10]


def test_a_parcel_is_never_divided() -> None:
    """Suppress and delete of a person travel together, even if the first would still have fitted."""
    both = parcel(50, 50)
    room_for_three = len(batch_body([parcel(50)] * 3)) + 1

    assert parts([parcel(50), parcel(50), both], room_for_three) == [2, 1]


def test_no_part_is_empty() -> None:
    """Not even when a parcel is larger than a request, and of nothing there are no parts."""
    assert parts([parcel(500), parcel(10)], 100) == [1, 1]
    assert parts([], 100) == []


def test_a_part_tells_what_it_adds() -> None:
    """So that the courier can put several parts into one body without measuring them again."""
    ((part, size),) = pack([parcel(50), parcel(20, 30)])

    assert size == sum(map(added_bytes, part)) == len(batch_body(part)) - len(b'{"batch":[]}') + 1


@pytest.mark.parametrize("first", [1, 2])
def test_fits_says_what_pack_does(first: int) -> None:
    """Lanes that share a request keep to the same limit as one lane alone."""
    parcels = [parcel(40)] * 3
    size = len(batch_body(parcels))
    held = sum(added_bytes(each) for each in parcels[:first])
    rest = sum(added_bytes(each) for each in parcels[first:])

    assert (fits(held, rest, bytes_max=size + 1), fits(held, rest, bytes_max=size)) == (True, False)
