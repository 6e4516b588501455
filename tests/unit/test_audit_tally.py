"""The audit's counts: exact in whatever order records and results come, in flat memory."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from streams.audit.tally import (
    MISSING,
    OPEN_PAGES_MAX,
    PAGE_OFFSETS,
    RECORD,
    RESULT_ALONE,
    RESULTS_MAX,
    SEVERAL,
    Tally,
)


def batches(offsets: list[int], size: int) -> Iterator[list[int]]:
    """Cut into batches."""
    return (offsets[first : first + size] for first in range(0, len(offsets), size))


@pytest.mark.parametrize("seed", range(20))
def test_it_counts_like_a_counter(seed: int) -> None:
    """Gaps, repeats, results without record, runs over the edge of a page, and pages that are left and come back."""
    chance = random.Random(seed)
    span = PAGE_OFFSETS * (OPEN_PAGES_MAX + 3)
    starts = [chance.randrange(span) for _ in range(40)]
    records = sorted({start + step for start in starts for step in range(chance.randrange(1, 300))})
    results = [offset for offset in records if chance.random() < 0.9]
    results += [chance.choice(records) for _ in range(50)] + [chance.randrange(span) for _ in range(50)]
    chance.shuffle(results)
    tally = Tally()
    for batch in batches(records, 700):
        tally.put(batch)
    for batch in batches(results, 13):
        tally.add(sorted(batch))

    there, counts = set(records), Counter(results)
    assert len(there) == tally.count(RECORD)
    assert [(offset, 0) for offset in records if not counts[offset]] == list(tally.each(MISSING))
    assert sorted((offset, count) for offset, count in counts.items() if count > 1) == list(tally.each(SEVERAL))
    assert sum(offset not in there for offset in counts) == tally.count(RESULT_ALONE)


def test_a_range_begins_with_its_first_offset_and_ends_before_its_last() -> None:
    """Also where it ends in the middle of a page, or in none."""
    tally = Tally()
    tally.put(list(range(10, 20)))

    assert tally.count(MISSING, 12) == 8
    assert tally.count(MISSING, end=12) == 2
    assert tally.count(MISSING, 12, 14) == 2
    assert tally.count(MISSING, end=0) == 0
    assert tally.count(MISSING, PAGE_OFFSETS, 9 * PAGE_OFFSETS) == 0
    assert [(12, 0), (13, 0)] == list(tally.each(MISSING, 12, 14))


def test_a_repeated_offset_is_no_run() -> None:
    """Three results from 1 to 3 are not one for each when one of them is a repeat."""
    tally = Tally()
    tally.put([1, 2, 3])
    tally.add([1, 1, 3])

    assert [(2, 0)] == list(tally.each(MISSING))
    assert [(1, 2)] == list(tally.each(SEVERAL))


def test_a_result_of_long_ago_is_counted_exactly() -> None:
    """A second one is found however far the others have gone on, and a record that was never there is told apart."""
    tally = Tally()
    for first in range(0, 100 * PAGE_OFFSETS, PAGE_OFFSETS):
        tally.put([first])
        tally.add([first])
    tally.add([3 * PAGE_OFFSETS])
    tally.add([5 * PAGE_OFFSETS + 1])

    assert [(3 * PAGE_OFFSETS, 2)] == list(tally.each(SEVERAL))
    assert [(5 * PAGE_OFFSETS + 1, 1)] == list(tally.each(RESULT_ALONE))


def test_very_many_results_stay_several() -> None:
    """The count stops where a byte ends."""
    tally = Tally()
    for _ in range(300):
        tally.add([7])

    assert [(7, RESULTS_MAX)] == list(tally.each(SEVERAL))


def test_ten_million_records_take_no_more_than_the_open_pages() -> None:
    """What lies behind takes next to nothing, also with a transaction's marker after every few records."""
    tally = Tally()
    for first in range(0, 10_000_000, 10_000):
        batch = [offset for offset in range(first, first + 10_000) if offset % 500 != 499]
        tally.put(batch)
        tally.add(batch)

    assert 10_000_000 * 499 // 500 == tally.count(RECORD)
    assert 0 == tally.count(MISSING)
    assert tally.bytes_taken() < (OPEN_PAGES_MAX + 1) * PAGE_OFFSETS + 200_000
