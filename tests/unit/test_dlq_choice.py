"""Which letters a replay takes, and which it leaves."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from schemas.dead_letter import LetterName
from schemas.decision import Decision, DecisionKind
from streams.dead_letters.choice import Choice, Rules, due
from streams.dead_letters.selection import Selection
from tests.unit.dead_letters import REPLAYS_MAX, FakeLetters, found_letter

AT = "2026-11-22T10:00:00.000Z"


def decided(decision: DecisionKind, *, at: str = AT) -> Decision:
    """A decision."""
    return Decision(decision=decision, at=at, by="ada")


def rules(*flags: str) -> Rules:
    """Rules with these set."""
    return Rules(
        replays_max=REPLAYS_MAX, again="again" in flags, force="force" in flags, even_if_sent="even_if_sent" in flags
    )


def taken(choice: Choice, letters: FakeLetters) -> list[str]:
    """The names of those that are to be replayed, in their order."""
    return [str(letter.name) for letter in choice.letters(letters)]


@pytest.mark.parametrize(
    ("decision", "replays", "needs"),
    [
        (None, 0, ()),
        (None, REPLAYS_MAX - 1, ()),
        (None, REPLAYS_MAX, ("force",)),
        (decided("parked"), 0, ("force",)),
        (decided("replayed"), 0, ("again",)),
        (decided("edited"), 0, ("again",)),
        (decided("discarded"), 0, ("again",)),
        (decided("replayed"), REPLAYS_MAX, ("again", "force")),
    ],
)
def test_only_what_is_open_is_taken_unless_told(
    decision: Decision | None, replays: int, needs: Collection[str]
) -> None:
    """Each flag opens what it is for, and nothing else."""
    found = found_letter(LetterName(0, 1), decision, replays=replays)
    flags = [(), ("again",), ("force",), ("again", "force")]

    assert [set(needs) <= set(given) for given in flags] == [rules(*given).leaves(found) is None for given in flags]


def test_partitions_come_one_after_the_other_and_letters_as_they_lie() -> None:
    """So a person's stay in order."""
    letters = FakeLetters(found_letter(LetterName(*place)) for place in [(1, 5), (0, 2), (0, 7), (1, 9)])
    choice = Choice(Selection(), rules())

    assert ["0/2", "0/7", "1/5", "1/9"] == taken(choice, letters)
    assert {0: [2, 7], 1: [5, 9]} == {partition: list(each.replays) for partition, each in choice.partitions.items()}


def test_named_letters_are_looked_for_from_the_first_name_on() -> None:
    """The others are not read; a name that nothing answers to is told."""
    letters = FakeLetters(found_letter(LetterName(0, offset)) for offset in range(9))
    choice = Choice(Selection(names=(LetterName(0, 5), LetterName(0, 3), LetterName(7, 1))), rules())

    assert ["0/3", "0/5"] == taken(choice, letters)
    assert [3] == letters.started
    assert {LetterName(7, 1)} == choice.missing


def test_a_limit_counts_what_is_replayed() -> None:
    """What is left on the way there does not count."""
    done = [found_letter(LetterName(0, offset), decided("replayed")) for offset in range(3)]
    choice = Choice(Selection(), rules(), limit=2)

    assert ["0/3", "0/4"] == taken(choice, FakeLetters(done + [found_letter(LetterName(0, 3 + n)) for n in range(5)]))
    assert "0/0, 0/1, 0/2" == str(choice.left["replayed"])


def test_what_is_left_is_counted_with_the_first_names() -> None:
    """A million of them must not fill the screen."""
    letters = FakeLetters(found_letter(LetterName(0, offset), replays=REPLAYS_MAX) for offset in range(9))
    choice = Choice(Selection(), rules())

    assert [] == taken(choice, letters)
    assert "0/0, 0/1, 0/2, 0/3, 0/4 and 4 more" == str(choice.left["parked"])
    assert (0, 9) == (choice.count, choice.parked)


def test_what_is_written_down_as_parked_is_not_written_again() -> None:
    """It is told all the same."""
    choice = Choice(Selection(), rules())

    assert [] == taken(choice, FakeLetters([found_letter(LetterName(0, 1), decided("parked"))]))
    assert (0, 1) == (choice.parked, choice.left["parked"].count)


def test_what_somebody_has_decided_meanwhile_is_not_due() -> None:
    """Also where the replay is told to take what was replayed before: of that it knew nothing."""
    before = {LetterName(0, 1): decided("replayed")}
    letters = FakeLetters(found_letter(LetterName(0, n), before.get(LetterName(0, n))) for n in range(5))
    choice = Choice(Selection(), rules("again"))
    assert 5 == len(taken(choice, letters))
    now = {**before, LetterName(0, 2): decided("discarded"), LetterName(0, 3): decided("replayed")}
    skipped: list[bool] = []

    found = list(due(letters, 0, choice.partitions[0], now, lambda: skipped.append(True)))

    assert ["0/0", "0/1", "0/4"] == [str(each.letter.name) for each in found]
    assert 2 == len(skipped)


def test_what_was_not_chosen_is_not_due() -> None:
    """A letter that came, or was opened, after the choice waits for the next one; parking is due beside replaying."""
    worn = found_letter(LetterName(0, 4), replays=REPLAYS_MAX)
    letters = FakeLetters([found_letter(LetterName(0, 1), decided("replayed")), found_letter(LetterName(0, 2)), worn])
    choice = Choice(Selection(), rules())
    assert ["0/2"] == taken(choice, letters)

    found = list(due(letters, 0, choice.partitions[0], {}, lambda: None))

    assert [("0/2", True), ("0/4", False)] == [(str(each.letter.name), each.is_replay) for each in found]


@pytest.mark.parametrize(
    ("flags", "left_as"), [((), "uncertain"), (("even_if_sent",), None), (("force",), "uncertain")]
)
def test_what_may_have_gone_out_is_taken_only_when_told(flags: Collection[str], left_as: str | None) -> None:
    """Whatever else is wanted."""
    found = found_letter(LetterName(0, 1))
    uncertain = replace(found, letter=replace(found.letter, reason="ambiguous_send"))

    assert rules(*flags).leaves(uncertain) == left_as
