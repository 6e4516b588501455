"""Numbers and the words that go with them."""

import pytest

from streams.plural import so_many


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 letters"), (1, "1 letter"), (2, "2 letters"), (12_345, "12,345 letters")]
)
def test_a_noun_is_in_the_plural_unless_there_is_one(count: int, expected: str) -> None:
    """Of none there are several."""
    assert expected == so_many(count, "letter")


@pytest.mark.parametrize(("count", "expected"), [(0, "0 are open"), (1, "1 is open"), (3, "3 are open")])
def test_what_has_no_s_gives_both_forms(count: int, expected: str) -> None:
    """A verb, for example."""
    assert expected == so_many(count, "is open", "are open")
