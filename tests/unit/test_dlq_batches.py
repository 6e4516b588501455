"""How records are put into batches that fit into one transaction."""

import pytest

from schemas.record import Stored
from streams.dead_letters.batches import batches, size_of


def record_of(size: int) -> Stored:
    """A record of so many bytes."""
    return Stored("t", 0, 0, 0, None, b"x" * size)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1, 1], [[1, 1]]),
        ([1, 1, 1, 1], [[1, 1, 1], [1]]),
        ([4, 7, 1], [[4, 7], [1]]),
        ([99, 10], [[99], [10]]),
    ],
)
def test_a_batch_is_over_with_the_record_that_reaches_a_limit(sizes: list[int], expected: list[list[int]]) -> None:
    """Three records, or ten bytes; none is left out, however large."""
    found = batches(map(record_of, sizes), records_max=3, bytes_max=10)

    assert expected == [[size_of(each) for each in batch] for batch in found]


def test_a_records_size_is_that_of_all_that_is_in_it() -> None:
    """What is missing has none."""
    assert size_of(Stored("t", 0, 0, 0, b"key", b"value", [("a", b"12"), ("b", None)])) == 12
    assert size_of(Stored("t", 0, 0, 0, None, None)) == 0
