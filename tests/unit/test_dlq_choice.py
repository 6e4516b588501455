"""Which letters a replay takes, and which it leaves."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from schemas.dead_letter import LetterName
from schemas.decision import Decision, DecisionKind
from schemas.times import unix_ms
from streams.dead_letters.choice import Choice, LeftAs, Rules, due
from streams.dead_letters.letters import MovedError
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
    choice.look(letters)
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


@pytest.mark.parametrize(
    ("at", "left_as"),
    [("2026-11-22T09:59:59.999Z", None), (AT, "done"), ("2026-11-23T10:00:00.000Z", "done"), ("yesterday", None)],
)
def test_what_was_decided_on_since_a_time_is_done(at: str, left_as: LeftAs | None) -> None:
    """So an interrupted replay of what was replayed before goes on; what was never decided on is not done."""
    since = replace(rules("again"), decided_before_ms=unix_ms(AT))

    assert left_as == since.leaves(found_letter(LetterName(0, 1), decided("replayed", at=at)))
    assert since.leaves(found_letter(LetterName(0, 1), None)) is None


def test_partitions_come_one_after_the_other_and_letters_in_the_order_of_their_records() -> None:
    """So a person's stay in order, though what was replayed and died again lies last."""
    places = [(1, 5, 50), (0, 2, 20), (0, 7, 30), (1, 9, 90), (0, 8, 10)]
    letters = FakeLetters(found_letter(LetterName(*name), origin=origin) for *name, origin in places)

    assert ["0/8", "0/2", "0/7", "1/5", "1/9"] == taken(Choice(Selection(), rules()), letters)


def test_named_letters_are_looked_for_from_the_first_name_on() -> None:
    """The others are not read; a name that nothing answers to is told."""
    letters = FakeLetters(found_letter(LetterName(0, offset)) for offset in range(9))
    choice = Choice(Selection(names=(LetterName(0, 5), LetterName(0, 3), LetterName(7, 1))), rules())

    assert ["0/3", "0/5"] == taken(choice, letters)
    assert {3} == set(letters.started)
    assert {LetterName(7, 1)} == choice.missing


def test_a_limit_counts_what_is_replayed() -> None:
    """What is left on the way there does not count."""
    done = [found_letter(LetterName(0, offset), decided("replayed")) for offset in range(3)]
    choice = Choice(Selection(), rules(), limit=2)

    assert ["0/3", "0/4"] == taken(choice, FakeLetters(done + [found_letter(LetterName(0, 3 + n)) for n in range(5)]))
    assert "0/0, 0/1, 0/2" == str(choice.left["replayed"])


def test_a_limit_takes_the_oldest_records() -> None:
    """However they lie: what is replayed next must not be older."""
    letters = FakeLetters(found_letter(LetterName(0, place), origin=9 - place) for place in range(9))

    assert ["0/8", "0/7"] == taken(Choice(Selection(), rules(), limit=2), letters)


def test_what_a_limit_leaves_is_not_missing() -> None:
    """Only what is not there is."""
    names = tuple(LetterName(partition, 0) for partition in range(3))
    choice = Choice(Selection(names=names), rules(), limit=1)

    assert ["0/0"] == taken(choice, FakeLetters(found_letter(name) for name in names[:2]))
    assert {names[2]} == choice.missing


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

    assert ["0/0", "0/1", "0/4"] == [str(letter.name) for letter in found]
    assert 2 == len(skipped)


def test_what_was_not_chosen_is_not_due() -> None:
    """A letter that came, or was opened, after the choice waits for the next one; what is to be parked is known."""
    worn = found_letter(LetterName(0, 4), replays=REPLAYS_MAX)
    letters = FakeLetters([found_letter(LetterName(0, 1), decided("replayed")), found_letter(LetterName(0, 2)), worn])
    choice = Choice(Selection(), rules())
    assert ["0/2"] == taken(choice, letters)

    found = list(due(letters, 0, choice.partitions[0], {}, lambda: None))

    assert ["0/2"] == [str(letter.name) for letter in found]
    assert [4] == list(choice.partitions[0].parks)


def test_what_does_not_lie_where_it_did_is_told() -> None:
    """An erasure has moved it meanwhile: nothing is passed over in silence."""
    letters = [found_letter(LetterName(0, offset)) for offset in range(3)]
    choice = Choice(Selection(), rules())
    choice.look(FakeLetters(letters))
    found = due(FakeLetters(letters[:2]), 0, choice.partitions[0], {}, lambda: None)

    assert ["0/0", "0/1"] == [str(next(found).name) for _ in range(2)]
    with pytest.raises(MovedError, match="run it again"):
        next(found)


@pytest.mark.parametrize(
    ("flags", "left_as"), [((), "uncertain"), (("even_if_sent",), None), (("force",), "uncertain")]
)
def test_what_may_have_gone_out_is_taken_only_when_told(flags: Collection[str], left_as: str | None) -> None:
    """Whatever else is wanted."""
    found = found_letter(LetterName(0, 1))
    uncertain = replace(found, letter=replace(found.letter, reason="ambiguous_send"))

    assert rules(*flags).leaves(uncertain) == left_as
