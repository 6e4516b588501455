"""In which order chosen letters are replayed, and that they are read in it, a bounded part at a time."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from schemas.dead_letter import LetterName
from schemas.decision import Decision
from streams.dead_letters import places
from streams.dead_letters.letter import Letter
from streams.dead_letters.letters import MovedError
from streams.dead_letters.places import Places
from tests.unit.dead_letters import FakeLetters, make_letter
from tests.unit.input_records import InputRecord, make_event, make_upsert


class CountingLetters(FakeLetters):
    """Counts what is read."""

    count = 0

    def read(
        self,
        partition: int,
        *,
        start: int | None = None,
        end: int | None = None,
        decisions: Mapping[LetterName, Decision] | None = None,
    ) -> Iterator[Letter]:
        """Yield and count."""
        for found in super().read(partition, start=start, end=end, decisions=decisions):
            self.count += 1
            yield found


def letter_at(place: int, record: InputRecord, origin: int) -> Letter:
    """A letter that lies there, of a record that stood at `origin`."""
    return Letter(
        letter=make_letter(LetterName(0, place), record=replace(record, offset=origin)), decision=None, state="open"
    )


def in_order(letters: list[Letter], *, limit: int | None = None, reader: FakeLetters | None = None) -> list[int]:
    """Where the letters lie that are replayed, in order."""
    found = Places()
    for each in letters:
        found.add(each.letter)
    order = found.in_order(limit)
    return [each.letter.offset for each in order.letters(reader or FakeLetters(letters), 0, {})]


def test_a_topics_letters_are_in_its_order_and_share_their_places() -> None:
    """Between topics, of which neither is before the other, they stay as they lie."""
    change, event = make_upsert(key=b"u-1"), make_event(key=b"u-1")
    letters = [
        *(letter_at(0, change, 20), letter_at(1, event, 7), letter_at(2, change, 10)),
        *(letter_at(3, event, 5), letter_at(4, change, 20), letter_at(5, change, 30)),
    ]

    assert [2, 3, 0, 1, 4, 5] == in_order(letters)
    assert [2, 3, 0] == in_order(letters, limit=3)
    assert [] == in_order([])


def test_they_are_read_in_parts_whatever_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, and little of what lies between them."""
    monkeypatch.setattr(places, "WINDOW_LETTERS", 40)
    monkeypatch.setattr(places, "GAP_LETTERS", 3)
    change, chance = make_upsert(key=b"u-1"), random.Random(7)
    every = [letter_at(place, change, chance.randrange(1_000)) for place in range(400)]
    chosen = every[:50] + every[350:]
    reader = CountingLetters(every)

    found = in_order(chosen, reader=reader)

    assert sorted(found, key=lambda place: every[place].letter.origin.offset) == found
    assert {each.letter.offset for each in chosen} == set(found)
    assert reader.count < 400


def test_large_letters_make_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is that of a part, whatever their size."""
    change = make_upsert(key=b"u-1", plan="x" * 900)
    monkeypatch.setattr(places, "WINDOW_BYTES", 2_000)
    letters = [letter_at(place, change, place) for place in range(6)]
    reader = CountingLetters(letters)

    assert [0, 1, 2, 3, 4, 5] == in_order(letters, reader=reader)
    assert [0, 2, 4] == reader.started


def test_a_letter_that_has_moved_is_not_passed_over() -> None:
    """Nor is what comes after it replayed without it."""
    letters = [letter_at(place, make_upsert(key=b"u-1"), place) for place in range(3)]

    with pytest.raises(MovedError, match="partition 0"):
        in_order(letters, reader=FakeLetters(letters[1:]))
