"""Looks letters up by name, with all that was decided on them, to be explained."""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.dead_letter import LetterName
from schemas.decision import Decision
from schemas.errors import StreamsError
from schemas.times import is_time, unix_ms
from streams.dead_letters.edited import Edited, edit_of
from streams.dead_letters.explanation import Explanation, explain
from streams.dead_letters.letter import Letter
from streams.dead_letters.letters import Letters
from streams.settings import Settings

CLOCKS_MS: Final = 3_600_000
"""So far may the clock of an operator be behind that of a worker."""


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
            edits = list(_edits(letters, found, reveal=reveal))
            yield explain(found, settings, _history(letters, name), edits=edits, reveal=reveal)
    if missing:
        raise UnknownLetterError(unknown(missing))


def unknown(names: Sequence[LetterName]) -> str:
    """Say in one line that there are no such letters."""
    return f"There is no letter {', '.join(map(str, names))}: `cio-streams dlq list` lists those that there are"


def _edits(letters: Letters, found: Letter, *, reveal: bool) -> Iterator[Edited]:
    """What was edited, if ever it was replayed: decisions do not tell, for Kafka keeps the last one only."""
    letter = found.letter
    if found.decision is None or not found.decision.replays:
        return
    since_ms = unix_ms(letter.failed_at) - CLOCKS_MS if is_time(letter.failed_at) else 0
    for copy in letters.copies(letter.name, max(0, since_ms)):
        edited = edit_of(copy, letter, reveal=reveal)
        if edited is not None:
            yield edited


def _history(letters: Letters, name: LetterName) -> list[Decision]:
    return [decision for each, decision in letters.history(name.partition) if each == name and decision is not None]
