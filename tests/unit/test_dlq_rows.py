"""The newest of many letters, what repeats, and what is counted, in memory that does not grow."""

from streams.dead_letters.letter import Letter
from streams.dead_letters.rows import folded, newest
from streams.dead_letters.stats import CONTENTS_MAX, HOURS_MAX, OTHERS, TOPICS_MAX, Repeated, counted
from tests.letters import found, make_letter
from tests.unit.input_records import InputRecord


def letter(content: int = 0, *, at: int = 0, offset: int = 0, topic: str = "t", failed_at: str | None = None) -> Letter:
    """A letter with this content, of a record at this offset, that failed in this second."""
    record = InputRecord(topic=topic, offset=offset, value=b"%d" % content)
    in_time = f"2026-11-22T10:{at // 60:02d}:{at % 60:02d}.000Z"
    return found(make_letter(record, failed_at=failed_at or in_time, offset=at))


def test_only_the_newest_are_kept() -> None:
    """By when they failed, then by name; of the others only the number is."""
    kept = newest((letter(at=at) for at in (5, 1, 9, 3, 7)), limit=3)

    assert (5, [9, 7, 5]) == (kept.count, [row.name.offset for row in kept.rows()])


def test_the_same_content_is_one() -> None:
    """Named by the newest; different keys, values, topics and reasons stay apart."""
    rows = newest([letter(1, at=1, offset=1), letter(2, at=2, offset=2), letter(1, at=3, offset=3)], limit=9).rows()

    assert [(3, 2), (2, 1)] == [(fold.row.name.offset, fold.times) for fold in folded(rows)]


def test_a_record_that_died_again_is_one_with_its_first_letter() -> None:
    """Also with other content, and it ties together what was apart."""
    rows = newest([letter(1, at=1, offset=1), letter(2, at=2, offset=2), letter(1, at=3, offset=2)], limit=9).rows()

    assert [(3, 3)] == [(fold.row.name.offset, fold.times) for fold in folded(rows)]


def test_what_is_folded_stays_folded_when_more_is_tied_to_it() -> None:
    """Two rows that each stood for several become one, and everything of both is found in it."""
    chain = [letter(1, at=1, offset=3), letter(2, at=2, offset=2), letter(1, at=3, offset=2), letter(2, at=4, offset=4)]
    rows = newest(chain, limit=9).rows()

    assert [4] == [fold.times for fold in folded(rows)]


def test_contents_beyond_a_limit_are_counted_at_least() -> None:
    """What makes up a large share is never lost."""
    repeated = Repeated(contents_max=10)
    for number in range(100):
        repeated.add(letter(1, at=number))
        repeated.add(letter(number + 2, at=number))
    (most,) = repeated.told()

    assert 50 <= most["at_least"] <= 100
    assert len(repeated._times) <= 10 < CONTENTS_MAX


def test_topics_and_hours_beyond_a_limit_are_others() -> None:
    """A publisher of nonsense does not fill the memory."""
    told = counted(letter(topic=f"t{number}") for number in range(TOPICS_MAX + 5)).told(now_ms=0)

    assert (TOPICS_MAX + 1, 5) == (len(told["by_topic"]), told["by_topic"][OTHERS])
    assert HOURS_MAX > 30 * 24


def test_a_letter_that_does_not_say_when_is_counted_all_the_same() -> None:
    """It is not the oldest."""
    told = counted([letter(failed_at="yesterday"), letter(at=5)]).told(now_ms=1_795_341_665_000)

    assert (2, 2, "2026-11-22T10:00:05.000Z", 60) == (told["total"], told["open"], told["oldest"], told["oldest_age_s"])
    assert {"unknown": 1, "2026-11-22T10:00Z": 1} == told["by_hour"]


def test_of_nothing_there_is_no_oldest() -> None:
    """Nulls and zeros."""
    told = counted([]).told(now_ms=0)

    assert (0, 0, None, None, []) == (
        told["total"],
        told["open"],
        told["oldest"],
        told["oldest_age_s"],
        told["repeated"],
    )
