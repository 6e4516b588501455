"""What a letter becomes on the replay topic."""

from dataclasses import replace

from schemas import dead_letter
from schemas.dead_letter import LetterName, replay_texts, replays_of, without_ours
from schemas.record import Header
from streams.dead_letters.copies import Edit, Terms, copy_of
from tests.unit.dead_letters import make_letter
from tests.unit.input_records import InputRecord

ODD: list[tuple[str, bytes]] = [("trace", b"\xff"), ("cio.replays", b"99"), ("trace", b"")]


def test_key_value_and_headers_are_the_letters_byte_for_byte() -> None:
    """Only the count differs, and what follows it; a publisher's header of the same name stays."""
    letter = make_letter(record=InputRecord(key=b"\x00", value=b"\xff{", headers=ODD), replays=1)

    copy = copy_of(letter, Terms())

    assert (b"\x00", b"\xff{") == (copy.key, copy.value)
    assert [*letter.headers[:-1], ("cio.replays", b"2"), ("cio.letter", b"0/3")] == copy.headers
    assert ODD == without_ours(copy.headers)


def test_a_tombstone_stays_one() -> None:
    """No value is no empty value."""
    assert copy_of(make_letter(record=InputRecord(key=b"u-1")), Terms()).value is None


def test_terms_and_edit_are_told_behind_the_count() -> None:
    """There no publisher's header can be."""
    edit = Edit(value=b"{}", by="ada", at="2026-11-22T10:00:00.000Z", diff="-a\n+b")

    copy = copy_of(make_letter(), Terms(note="mended", even_if_older=True), edit)

    assert b"{}" == copy.value
    assert {
        dead_letter.NAMED: "0/3",
        dead_letter.REPLAY_NOTE: "mended",
        dead_letter.EVEN_IF_OLDER: "1",
        dead_letter.EDITED_BY: "ada",
        dead_letter.EDITED_AT: "2026-11-22T10:00:00.000Z",
        dead_letter.EDIT_DIFF: "-a\n+b",
    } == replay_texts(copy.headers)


def test_even_if_sent_is_for_what_may_have_gone_out() -> None:
    """Of another letter it would say that a repeat which was delivered meanwhile counts for nothing."""
    refused = make_letter()
    terms = Terms(even_if_sent=True)

    assert dead_letter.EVEN_IF_SENT not in replay_texts(copy_of(refused, terms).headers)
    assert replay_texts(copy_of(replace(refused, reason="ambiguous_send"), terms).headers)[dead_letter.EVEN_IF_SENT]


def test_a_letter_that_was_written_anew_keeps_its_name() -> None:
    """It lies elsewhere by then, and what stood behind its count is said once."""
    tail: list[Header] = [(dead_letter.NAMED, b"0/1"), (dead_letter.REPLAY_NOTE, b"of before")]

    copy = copy_of(make_letter(LetterName(0, 9), replays=2, tail=tail), Terms())

    assert {dead_letter.NAMED: "0/1"} == replay_texts(copy.headers)
    assert 3 == replays_of(copy.headers)
