"""Whatever the chunks: what is let through never passes the share, and little is kept of it."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from agents.steps.dead_shares import RECORDS_MIN, WINDOW_RECORDS, DeadShares
from tests.flood_world import TOPIC, chunk_of, make_conclusions

CHUNKS = st.lists(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=40)
SHARES = st.sampled_from([0.01, 0.29, 0.5, 0.9, 1.0])


def let_through(shares: DeadShares, chunks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The chunks that are no flood, in their order; floods are dropped."""
    through = []
    for records, dead in chunks:
        conclusions = make_conclusions(records, dead)
        if not shares.flood_of(chunk_of(conclusions), conclusions, dead=dead):
            shares.count(TOPIC, records=records, dead=dead)
            through.append((records, dead))
    return through


@given(CHUNKS, SHARES)
def test_more_than_the_share_is_never_let_through(chunks: list[tuple[int, int]], share_max: float) -> None:
    """Beyond the first records, of which there are too few to tell."""
    through = let_through(DeadShares(share_max), chunks)
    totals = [*accumulate(through, lambda a, b: (a[0] + b[0], a[1] + b[1]))]

    assert all(dead <= share_max * records + RECORDS_MIN for records, dead in totals if records <= WINDOW_RECORDS)


@given(CHUNKS, SHARES)
def test_the_window_is_as_long_as_it_must_be(chunks: list[tuple[int, int]], share_max: float) -> None:
    """It covers its records where there are so many, and not a chunk more."""
    shares = DeadShares(share_max)
    through = let_through(shares, chunks)
    kept = [each.records for each in shares._chunks[TOPIC]]

    assert kept == [records for records, _ in through][len(through) - len(kept) :]
    assert sum(kept) >= min(WINDOW_RECORDS, sum(records for records, _ in through))
    assert sum(kept[1:]) < WINDOW_RECORDS


@given(CHUNKS)
def test_without_dead_letters_there_is_no_flood(chunks: list[tuple[int, int]]) -> None:
    """Whatever was before."""
    shares = DeadShares(0.5)
    for records, dead in chunks:
        shares.count(TOPIC, records=records, dead=dead)

    conclusions = make_conclusions(200, 0)

    assert shares.flood_of(chunk_of(conclusions), conclusions, dead=0) is None
