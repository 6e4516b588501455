"""What the headers of a dead letter say, whatever a publisher has put before them."""

import pytest

from schemas import dead_letter
from schemas.dead_letter import (
    NAMED,
    OF_LETTERS,
    REPLAY_NOTE,
    LetterName,
    Origin,
    origin_of,
    read_letter,
    replay_texts,
    replays_of,
    without_ours,
)
from schemas.record import Header, Stored
from tests.letters import make_letter
from tests.unit.input_records import InputRecord

PUBLISHERS: list[tuple[str, bytes]] = [
    ("trace", b"1"),
    *((name, b"9") for name in OF_LETTERS),
    ("trace", b"2"),
    (NAMED, b"7/7"),
]


def read(headers: list[Header], *, partition: int = 0, offset: int = 0) -> dead_letter.DeadLetter | None:
    """Read a letter of these headers."""
    return read_letter(Stored("customerio-dlq", partition, offset, 0, None, None, headers))


def headers_of(record: InputRecord) -> list[Header]:
    """The headers of its letter, which has neither status nor fingerprint."""
    return list(make_letter(record, "malformed", message="name: is missing").headers)


def test_a_letter_is_read_as_it_was_written() -> None:
    """All that its headers say."""
    record = InputRecord(topic="t", partition=3, offset=17, key=b"k", value=b"v", timestamp=5)
    letter = read_letter(make_letter(record, "rejected", message="no", status=400, attempts=2, replays=1, offset=9))

    assert letter is not None
    assert (LetterName(3, 9), Origin("t", 3, 17)) == (letter.name, letter.origin)
    assert ("rejected", 400, 2, "no", 1, 5) == (
        letter.reason,
        letter.status,
        letter.attempts,
        letter.message,
        letter.replays,
        letter.timestamp_ms,
    )


def test_a_publishers_headers_of_our_names_say_nothing() -> None:
    """Neither where ours comes after it, nor where a letter has none: its status is not the publisher's."""
    letter = read(headers_of(InputRecord(topic="t", headers=PUBLISHERS)), partition=1, offset=2)

    assert letter is not None
    assert (Origin("t", 0, 0), None, None, 0) == (letter.origin, letter.status, letter.fingerprint, letter.replays)
    assert LetterName(1, 2) == letter.name


def test_the_publishers_headers_come_back_whole() -> None:
    """Those of our names too, in their order, also those that the letter has not."""
    replayed: list[Header] = [*headers_of(InputRecord(headers=PUBLISHERS)), (NAMED, b"0/1"), (REPLAY_NOTE, b"why")]

    assert PUBLISHERS == without_ours(replayed)


def test_what_comes_after_a_letters_own_is_the_replays() -> None:
    """There a publisher has put nothing; a letter that was written anew keeps its name."""
    headers: list[Header] = [*headers_of(InputRecord(headers=PUBLISHERS)), (NAMED, b"0/1"), ("other", b"x")]
    letter = read(headers, partition=4, offset=44)

    assert letter is not None
    assert ({NAMED: "0/1"}, LetterName(0, 1), 44) == (replay_texts(headers), letter.name, letter.offset)


def test_the_order_of_a_letters_own_does_not_matter() -> None:
    """As long as all are there: somebody else's tool may have copied them."""
    ours = headers_of(InputRecord(topic="t", partition=2, offset=3))
    letter = read(ours[::-1])

    assert letter is not None
    assert (Origin("t", 2, 3), "malformed") == (letter.origin, letter.reason)
    assert [] == without_ours(ours[::-1])


@pytest.mark.parametrize("name", [dead_letter.TOPIC, dead_letter.OFFSET, dead_letter.REASON, dead_letter.REPLAYS])
@pytest.mark.parametrize("value", [None, b"\xff", b"", b"many"])
def test_what_says_no_place_or_reason_is_no_letter(name: str, value: bytes | None) -> None:
    """A topic may be called anything."""
    headers: list[Header] = [(each, value if each == name else text) for each, text in headers_of(InputRecord())]
    is_readable_topic = name == dead_letter.TOPIC and bool(value)

    assert (read(headers) is not None) == is_readable_topic


def test_a_record_without_headers_is_no_letter() -> None:
    """And was never replayed."""
    assert (None, None, 0, []) == (read([]), origin_of([]), replays_of([]), without_ours([]))


@pytest.mark.parametrize(
    "text", ["", "3", "3/", "/3", "-1/3", "3/-1", "3/17/4", " 3/17", "3/17\n", "\u0663/17", "1" * 10 + "/1"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    """The error says what was expected."""
    with pytest.raises(ValueError, match="PARTITION/OFFSET"):
        LetterName.parse(text)


def test_a_name_is_read_as_it_is_written() -> None:
    """Both ways."""
    assert LetterName(3, 17) == LetterName.parse(str(LetterName(3, 17)))
