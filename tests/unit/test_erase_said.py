"""Whom operators' decisions and words name, and what an erasure leaves of them."""

from dataclasses import replace

import pytest

from schemas.dead_letter import LetterName
from schemas.decision import Decision, decision_key, encode_decision
from schemas.resume import Resume, encode_resume, resume_key
from streams.dead_letters.erasure.rule import Person
from streams.dead_letters.erasure.said import is_told_in, is_unsaid, read_said, without

KEY = decision_key(LetterName(0, 30))
DECISION = Decision(decision="replayed", at="2026-11-22T10:30:00.000Z", by="eve", note="mended")
WORD = Resume(until="2026-11-22T11:30:00.000Z", at="2026-11-22T10:30:00.000Z", by="eve")


@pytest.mark.parametrize("user_id", ["30", "2026", "note", "by", "at", "null", "until", "replayed", "decision", "ev"])
def test_times_and_our_own_words_name_nobody(user_id: str) -> None:
    """Only what an operator has typed does."""
    assert not is_told_in(Person(user_id), DECISION)
    assert not is_told_in(Person(user_id), WORD)


def test_only_what_names_the_person_goes() -> None:
    """Who decided is not forgotten because of what the note said, nor the note because of who decided."""
    noted = Decision(decision="discarded", at=DECISION.at, by="eve", note="asked by u-1")
    made = Decision(decision="discarded", at=DECISION.at, by="u-1", note="a duplicate")

    assert is_told_in(Person("u-1"), noted)
    assert without(Person("u-1"), noted) == replace(noted, note=None)
    assert is_told_in(Person("u-1"), made)
    assert without(Person("u-1"), made) == replace(made, by="")
    assert without(Person("u-1"), DECISION) is DECISION


def test_a_topic_stays_resumed_when_who_said_it_is_erased() -> None:
    """For as long as they said."""
    assert is_told_in(Person("eve"), WORD)
    assert without(Person("eve"), WORD) == replace(WORD, by="")


def test_what_an_erasure_has_left_may_hold_a_second_person() -> None:
    """A note stays when who wrote it is erased: only without both is nothing left to be erased."""
    left = without(Person("eve"), DECISION)

    assert (is_unsaid(DECISION), is_unsaid(left), is_unsaid(replace(left, note=None))) == (False, False, True)
    assert (is_unsaid(WORD), is_unsaid(without(Person("eve"), WORD))) == (False, True)


def test_decisions_and_words_are_read() -> None:
    """What else stands there is nothing that an operator has said."""
    assert read_said(KEY, encode_decision(DECISION)) == DECISION
    assert read_said(resume_key("user-changes"), encode_resume(WORD)) == WORD
    for key, value in ((KEY, None), (KEY, b"{}"), (b"\xff", encode_decision(DECISION)), (None, b"30")):
        assert read_said(key, value) is None
