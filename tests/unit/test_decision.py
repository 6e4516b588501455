"""Decisions as they stand on their topic."""

import pytest

from schemas.dead_letter import LetterName
from schemas.decision import (
    Decision,
    DecisionKind,
    decision_key,
    decode_decision,
    encode_decision,
    replays_after,
    state_of,
)

DISCARDED = Decision(decision="discarded", at="2026-11-22T10:00:00.000Z", by="ada", note="test data", replays=2)


def test_a_decision_is_read_as_it_was_written() -> None:
    """Under the name of its letter."""
    assert DISCARDED == decode_decision(encode_decision(DISCARDED))
    assert b"3/17" == decision_key(LetterName(3, 17))


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"null", b'{"decision": "lost"}', b'{"decision": []}', b"\xff"])
def test_what_is_no_decision_is_passed_over(value: bytes) -> None:
    """Whatever else stands on the topic."""
    assert decode_decision(value) is None


def test_a_decision_of_little_is_one_all_the_same() -> None:
    """What it does not tell is empty."""
    assert Decision(decision="parked", at="", by="7", note=None) == decode_decision(b'{"decision": "parked", "by": 7}')


@pytest.mark.parametrize(("kind", "replays"), [("replayed", 1), ("edited", 1), ("discarded", 0), ("parked", 0)])
def test_what_was_not_counted_was_replayed_once_at_most(kind: DecisionKind, replays: int) -> None:
    """As older decisions are read; the next replay counts on from there."""
    found = decode_decision(b'{"decision": "%s", "at": "", "by": ""}' % kind.encode())

    assert found == Decision(decision=kind, at="", by="", replays=replays)
    assert replays + 1 == replays_after(found)
    assert 1 == replays_after(None)


@pytest.mark.parametrize(
    ("kind", "state"),
    [("replayed", "replayed"), ("edited", "replayed"), ("discarded", "discarded"), ("parked", "parked")],
)
def test_the_last_decision_is_the_state(kind: DecisionKind, state: str) -> None:
    """However often it was replayed before."""
    assert state == state_of(Decision(decision=kind, at="", by=""), replays=9, replays_max=3)


@pytest.mark.parametrize(("replays", "state"), [(0, "open"), (2, "open"), (3, "parked"), (4, "parked")])
def test_without_one_a_letter_is_open_until_it_was_replayed_too_often(replays: int, state: str) -> None:
    """Then it is parked."""
    assert state == state_of(None, replays=replays, replays_max=3)
