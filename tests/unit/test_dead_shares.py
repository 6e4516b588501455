"""When a topic counts as flooded: above the share, and of enough records."""

import pytest

from agents.steps.dead_shares import RECORDS_MIN, WINDOW_RECORDS, DeadShares
from schemas.conclusion import Conclusion
from schemas.flood import Flood
from schemas.outcome import DeadReason
from tests.flood_world import TOPIC, chunk_of, make_conclusions
from tests.unit.input_records import InputRecord


def flood_of(shares: DeadShares, records: int, dead: int) -> Flood | None:
    """What a chunk like that would be."""
    conclusions = make_conclusions(records, dead)
    return shares.flood_of(chunk_of(conclusions), conclusions, dead=dead)


@pytest.mark.parametrize(
    ("records", "dead", "is_flood"),
    [
        pytest.param(RECORDS_MIN, 50, False, id="at the share"),
        pytest.param(RECORDS_MIN, 51, True, id="above it"),
        pytest.param(RECORDS_MIN - 1, RECORDS_MIN - 1, False, id="of too few"),
        pytest.param(RECORDS_MIN, RECORDS_MIN, True, id="of just enough"),
    ],
)
def test_a_flood_is_above_the_share_of_enough_records(records: int, dead: int, *, is_flood: bool) -> None:
    """Half of a hundred is none."""
    assert (flood_of(DeadShares(0.5), records, dead) is not None) == is_flood


def test_a_share_is_compared_exactly() -> None:
    """29 of 100 are not more than 0.29, though 0.29 * 100 is less than 29."""
    assert flood_of(DeadShares(0.29), 100, 29) is None
    assert flood_of(DeadShares(0.29), 100, 30) is not None


def test_the_whole_can_be_allowed() -> None:
    """A share of 1 switches the guard off."""
    assert flood_of(DeadShares(1), 2_000, 2_000) is None


def test_chunks_add_up() -> None:
    """Many small ones are a flood as well."""
    shares = DeadShares(0.5)
    shares.count(TOPIC, records=60, dead=60)
    flood = flood_of(shares, 40, 40)

    assert flood
    assert (flood.records, flood.dead) == (100, 100)


def test_what_was_good_before_weighs_against_it() -> None:
    """A few hundred among a thousand are no flood."""
    shares = DeadShares(0.5)
    shares.count(TOPIC, records=WINDOW_RECORDS, dead=0)

    assert flood_of(shares, 300, 300) is None


def test_a_chunk_as_large_as_the_window_stands_alone() -> None:
    """What was before it is out of the window."""
    shares = DeadShares(0.5)
    shares.count(TOPIC, records=5_000, dead=0)
    flood = flood_of(shares, WINDOW_RECORDS, 600)

    assert flood
    assert (flood.records, flood.dead) == (WINDOW_RECORDS, 600)


def test_a_chunk_that_is_mostly_good_is_no_flood() -> None:
    """Whatever was before: it is over."""
    shares = DeadShares(0.5)
    shares.count(TOPIC, records=WINDOW_RECORDS, dead=WINDOW_RECORDS)

    assert flood_of(shares, 10, 5) is None
    assert flood_of(shares, 10, 6) is not None


def test_topics_have_nothing_to_do_with_each_other() -> None:
    """Each has a window of its own."""
    shares = DeadShares(0.5)
    shares.count("domain-events", records=500, dead=500)

    assert flood_of(shares, 50, 50) is None


def test_what_is_forgotten_counts_no_more() -> None:
    """The topic begins anew."""
    shares = DeadShares(0.5)
    shares.count(TOPIC, records=500, dead=500)
    shares.forget(TOPIC)

    assert flood_of(shares, 50, 50) is None


def test_a_flood_says_what_most_die_of() -> None:
    """The reason of most, and the first with the detail of most of these; all with that reason are suspects."""
    of: list[tuple[DeadReason, str]] = [
        ("rejected", "plan: no"),
        ("malformed", "user.id: is missing"),
        ("malformed", "type: is missing"),
        ("malformed", "type: is missing"),
        ("rejected", "plan: no"),
    ]
    conclusions = [
        Conclusion(InputRecord(offset=offset), "dead", *of[offset % len(of)]) for offset in reversed(range(100))
    ]
    flood = DeadShares(0.5).flood_of(chunk_of(conclusions), conclusions, dead=100)

    assert flood
    assert (flood.reason, flood.example.detail, flood.example.record.offset) == ("malformed", "type: is missing", 2)
    assert [each.offset for each in flood.suspects][:4] == [1, 2, 3, 6]
