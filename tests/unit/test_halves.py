"""How a request is taken apart: in halves, with a person in one of them, so that either may go first."""

import pytest

from schemas.delivery import Parcel
from streams.customerio.halves import halve, is_one_person


def of(*people: str | None) -> list[Parcel]:
    """A parcel of each."""
    return [Parcel((b"{}",), person=person) for person in people]


@pytest.mark.parametrize(
    ("people", "first", "second"),
    [
        ("ab", [0], [1]),
        ("abc", [0], [1, 2]),
        ("abcd", [0, 1], [2, 3]),
        ("abab", [0, 2], [1, 3]),
        ("aabc", [0, 1], [2, 3]),
        ("abbb", [0], [1, 2, 3]),
        ("aaab", [0, 1, 2], [3]),
        ("aaaa", [0, 1], [2, 3]),
    ],
)
def test_a_person_stands_in_one_half(people: str, first: list[int], second: list[int]) -> None:
    """Only where all are one person's, both hold some: the first ones, and the later ones."""
    assert halve(of(*people)) == (first, second)
    assert is_one_person(of(*people)) == (len(set(people)) == 1)


def test_nobody_is_nobody_else() -> None:
    """Parcels without a person have no order to keep."""
    assert halve(of(None, None, None, None)) == ([0, 1], [2, 3])
    assert not is_one_person(of(None, None))


def test_one_parcel_is_not_to_be_ordered() -> None:
    """It has no halves."""
    assert not is_one_person(of("a"))
