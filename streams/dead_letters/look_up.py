"""Looks letters up by name, with all that was decided on them, to be explained."""

from collections.abc import Iterator, Sequence

from schemas.dead_letter import LetterName
from schemas.decision import Decision
from schemas.errors import StreamsError
from streams.dead_letters.explanation import Explanation, explain
from streams.dead_letters.letters import Letters
from streams.settings import Settings


class UnknownLetterError(StreamsError):
    """No letter has this name, or not any more."""


def look_up(
    letters: Letters, names: Sequence[LetterName], settings: Settings, *, reveal: bool
) -> Iterator[Explanation]:
    """Yield each letter's explanation, in the order of the names.

    Raises:
        UnknownLetterError: one is not there; the others were yielded first.
        UnavailableError: Kafka does not answer.
    """
    missing = []
    for name in names:
        found = letters.find(name)
        if found is None:
            missing.append(name)
        else:
            yield explain(found, settings, _history(letters, name), reveal=reveal)
    if missing:
        raise UnknownLetterError(unknown(missing))


def unknown(names: Sequence[LetterName]) -> str:
    """Say in one line that there are no such letters."""
    return f"There is no letter {', '.join(map(str, names))}: `cio-streams dlq list` lists those that there are"


def _history(letters: Letters, name: LetterName) -> list[Decision]:
    return [decision for each, decision in letters.history(name.partition) if each == name and decision is not None]
