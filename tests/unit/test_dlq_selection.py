"""Which letters a selection holds, and where they may lie."""

from typing import Any

import pytest

from schemas.dead_letter import LetterName
from schemas.decision import Decision
from streams.cli.dlq.options import Filters
from streams.dead_letters.selection import Selection
from streams.settings import Settings
from tests.letters import found, make_letter
from tests.unit.input_records import InputRecord, make_upsert

RECORD = InputRecord(topic="t", partition=3, offset=17, value=make_upsert().value)
FAILED_MS = 1_795_341_600_000  # 2026-11-22T10:00:00Z


@pytest.mark.parametrize(
    ("holds", "holds_not"),
    [
        ({"names": [LetterName(3, 5)]}, {"names": [LetterName(5, 3)]}),
        ({"topic": "t"}, {"topic": "u"}),
        ({"partition": 3}, {"partition": 0}),
        ({"offset": 17}, {"offset": 0}),
        ({"reason": "rejected"}, {"reason": "malformed"}),
        ({"status": 207}, {"status": 400}),
        ({"user": "u-1"}, {"user": "u-2"}),
        ({"since_ms": FAILED_MS}, {"since_ms": FAILED_MS + 1}),
        ({"until_ms": FAILED_MS + 1}, {"until_ms": FAILED_MS}),
        ({"states": ["open", "parked"]}, {"states": ["discarded"]}),
    ],
)
def test_each_filter_must_hold(holds: dict[str, Any], holds_not: dict[str, Any]) -> None:
    """A letter is one of these only if all do."""
    letter = found(make_letter(RECORD, "rejected", status=207, failed_at="2026-11-22T10:00:00.000Z", offset=5))

    assert Selection(**holds).matches(letter)
    assert not Selection(**holds_not).matches(letter)
    assert not Selection(**(holds | {"status": 500})).matches(letter) or "status" in holds


def test_a_letter_that_does_not_say_when_is_in_no_span_of_time() -> None:
    """Without one it is listed."""
    letter = found(make_letter(RECORD, failed_at="yesterday"))

    assert not Selection(since_ms=0).matches(letter)
    assert Selection().matches(letter)


def test_a_decision_is_a_state() -> None:
    """The letter itself says nothing of it."""
    letter = found(make_letter(RECORD), Decision(decision="discarded", at="", by=""))

    assert Selection(states=["discarded"]).matches(letter)


def test_only_partitions_that_may_hold_them_are_read() -> None:
    """A letter lies on the partition of its name, which is its record's."""
    everywhere = [0, 1, 2, 3]

    assert everywhere == Selection(topic="t").partitions(everywhere)
    assert [2] == Selection(partition=2).partitions(everywhere)
    assert [1, 3] == Selection(names=[LetterName(3, 1), LetterName(1, 1)]).partitions(everywhere)
    assert [] == Selection(partition=2, names=[LetterName(3, 1)]).partitions(everywhere)
    assert [] == Selection(partition=9).partitions(everywhere)


def test_options_without_any_are_everything() -> None:
    """So that a command may insist on being told so."""
    settings = Settings(topic_prefix="staging.")

    assert Filters().selection(settings).is_everything
    assert Filters().selection(settings, []).is_everything
    assert not Filters().selection(settings, ["3/17"]).is_everything
    assert not Filters(partition=0).selection(settings).is_everything


@pytest.mark.parametrize("topic", ["user-changes", "staging.user-changes"])
def test_a_topic_is_taken_with_or_without_its_prefix(topic: str) -> None:
    """The letters name it in full."""
    selection = Filters(topic=topic).selection(Settings(topic_prefix="staging."))

    assert "staging.user-changes" == selection.topic
