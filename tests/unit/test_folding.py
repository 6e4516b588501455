from dataclasses import replace

from agents.steps.report import letter_headers
from schemas import dead_letter
from schemas.conclusion import Conclusion
from schemas.dead_letter import DeadLetter, LetterName, read_letter
from schemas.record import Stored
from streams.dead_letters.folding import Folding
from tests.unit.input_records import InputRecord


def letter_at(offset: int, *, named: int | None = None) -> DeadLetter:
    """A letter that lies there, written anew if it has another name."""
    headers = list(letter_headers(Conclusion(InputRecord(), "dead", "rejected"), group="g", failed_at=""))
    added = [] if named is None else [(dead_letter.NAMED, str(LetterName(0, named)).encode())]
    letter = read_letter(Stored("customerio-dlq", 0, offset, 0, None, None, [*headers, *added]))
    assert letter is not None
    return replace(letter, headers=())


def test_the_first_place_counts_while_it_is_there() -> None:
    """A copy of it is an unfinished erasure's."""
    folding = Folding(3)

    assert [folding.is_passed_over(each) for each in (letter_at(3), letter_at(9, named=3))] == [False, True]


def test_of_copies_the_first_counts() -> None:
    """When the first place is gone."""
    folding = Folding(9)

    assert [folding.is_passed_over(letter_at(at, named=3)) for at in (9, 12)] == [False, True]
    assert not folding.is_passed_over(letter_at(13, named=4))
