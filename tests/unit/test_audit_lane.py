"""What one input partition's records and results come to."""

from collections import Counter

import pytest

from streams.audit.findings import Violation
from streams.audit.lane import Lane, OldestChunks
from streams.audit.results import Verdict


def verdict(offset: int, outcome: str = "delivered", processed_at: str = "10:00") -> Verdict:
    """A result of a record of the lane."""
    return Verdict("events", 3, offset, outcome, processed_at)


def lane(*, floor: int = 0, end: int = 10, committed: int | None = None) -> Lane:
    """A lane with ten records."""
    made = Lane(("events", 3), floor=floor, oldest=0, end=end, committed=committed)
    made.put(list(range(10)))
    return made


def test_a_lane_without_faults() -> None:
    """Each record has its one result."""
    whole = lane(committed=10)
    whole.take([verdict(offset, "dead" if offset == 4 else "delivered") for offset in range(10)])

    assert [] == [*whole.missing(), *whole.several()]
    assert (10, 10, 0, 0) == (
        whole.counts().inputs,
        whole.counts().results,
        whole.counts().missing,
        whole.counts().several,
    )
    assert Counter(delivered=9, dead=1) == whole.counts().outcomes


def test_what_the_group_is_past_is_lost_and_the_rest_waits() -> None:
    """Both are missing."""
    some = lane(committed=7)
    some.take([verdict(offset) for offset in (0, 1, 2, 4, 5, 6, 6)])

    assert 1 == some.lost
    assert (4, 3) == (some.counts().missing, some.counts().beyond_committed)
    assert [Violation("several", "events", 3, 6, 2)] == list(some.several())
    assert [
        Violation("missing", "events", 3, 3, 0),
        *(Violation("missing", "events", 3, offset, 0, is_beyond_committed=True) for offset in (7, 8, 9)),
    ] == list(some.missing())


def test_results_of_later_and_of_earlier_records_are_not_looked_at() -> None:
    """They arrived while we were reading, or are older than what was asked for."""
    some = lane(floor=4, end=8)
    some.take([verdict(offset) for offset in range(2, 12)])

    assert 4 == some.counts().results


@pytest.mark.parametrize(("committed", "unprovable", "missing"), [(None, 5, 3), (2, 2, 6), (10, 5, 3)])
def test_what_may_have_been_deleted_cannot_be_proven(committed: int | None, unprovable: int, missing: int) -> None:
    """But what no worker had come to never had a result."""
    some = lane(committed=committed)
    some.take([verdict(5), verdict(6)])
    some.unprovable_before = 5

    assert (unprovable, missing) == (some.counts().unprovable, some.counts().missing)
    assert missing == len(list(some.missing()))


def test_a_result_whose_record_is_gone_is_no_fault() -> None:
    """The topic's retention has taken it."""
    some = Lane(("events", 3), floor=0, oldest=8, end=10, committed=None)
    some.put([8, 9])
    some.take([verdict(offset) for offset in (6, 7, 8, 9)])

    assert [] == [*some.missing(), *some.several(), *some.unfounded()]
    assert (2, 0) == (some.counts().gone, some.counts().unfounded)


def test_a_result_where_there_was_never_a_record_is_a_fault() -> None:
    """Retention has not come that far: it was rolled back, or made up."""
    some = Lane(("events", 3), floor=0, oldest=6, end=10, committed=None)
    some.put([6, 9])
    some.take([verdict(offset) for offset in (5, 6, 7, 7, 8, 9)])

    assert (1, 2) == (some.counts().gone, some.counts().unfounded)
    assert [Violation("unfounded", "events", 3, 7, 2), Violation("unfounded", "events", 3, 8, 1)] == list(
        some.unfounded()
    )


def test_the_oldest_chunk_ends_where_the_second_begins() -> None:
    """The results of each lie in any order, and may come in several batches; those of later chunks say nothing."""
    oldest = OldestChunks()
    oldest.take([verdict(7), verdict(5)])

    assert oldest.second is None

    oldest.take([verdict(6), verdict(12, processed_at="10:01")])
    oldest.take([verdict(10, processed_at="10:01"), verdict(3, processed_at="10:02"), verdict(2)])
    oldest.take([verdict(1, processed_at="10:01")])

    assert 10 == oldest.second
