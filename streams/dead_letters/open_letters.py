"""Which dead letters of one partition are open, kept up with what is written: the same as `Letters` tells. Pure.

A few hundred bytes at most for each letter that Kafka still has, whatever it holds: its name, its kind and its age.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from schemas.dead_letter import DeadLetter, LetterName
from schemas.decision import Decision, state_of
from schemas.times import is_time, unix_ms

NO_TIME: Final = sys.maxsize

Kind = tuple[str, str]
"""A letter's topic and reason."""


class Standing(NamedTuple):
    """How many letters of a kind are open, and when the oldest died, in unix milliseconds; None where none tells."""

    letters: int
    oldest_ms: int | None


class ReopenedError(Exception):
    """A decision was taken back: of its letter too little is remembered, so all must be read again."""

    def __init__(self) -> None:
        super().__init__("A decision was taken back: all letters are read again")


def together(partitions: Iterable["OpenLetters"]) -> Mapping[Kind, Standing]:
    """Add up what several partitions have."""
    found: dict[Kind, Standing] = {}
    for kind, standing in (each for letters in partitions for each in letters.standing()):
        found[kind] = joined(found.get(kind, Standing(0, None)), standing)
    return found


def joined(one: Standing, other: Standing) -> Standing:
    """Add up two."""
    times = [ms for ms in (one.oldest_ms, other.oldest_ms) if ms is not None]
    return Standing(one.letters + other.letters, min(times, default=None))


class OpenLetters:
    """Takes the letters of a partition in their order, and the decisions on them in theirs.

    `read_to` is the offset behind the last letter that was taken.
    """

    def __init__(self, *, replays_max: int) -> None:
        self.read_to = self._oldest = 0
        self._replays_max = replays_max
        self._open: dict[Kind, dict[int, int]] = {}  # by the offset of their names, when they died
        self._closed: set[int] = set()
        self._early: set[int] = set()  # decided on before they were read
        self._lies_at: dict[int, int] = {}  # of those that were written anew

    def __len__(self) -> int:
        """How many letters are remembered."""
        return len(self._closed) + sum(map(len, self._open.values()))

    def take(self, letter: DeadLetter) -> None:
        """One more letter, or one that is written anew."""
        self.read_to = letter.offset + 1
        name = letter.name.offset
        if name != letter.offset:
            self._lies_at[name] = letter.offset
        if self._is_known(name):
            return
        is_open = state_of(None, replays=letter.replays, replays_max=self._replays_max) == "open"
        if name in self._early or not is_open:
            self._early.discard(name)
            self._closed.add(name)
        else:
            died_ms = unix_ms(letter.failed_at) if is_time(letter.failed_at) else NO_TIME
            self._open.setdefault((letter.origin.topic, letter.reason), {})[name] = died_ms

    def decide(self, letter: LetterName, decision: Decision | None) -> None:
        """A decision on a letter of this partition; None takes the last one back.

        Raises:
            ReopenedError: that opens a letter again.
        """
        name = letter.offset
        if decision is None:
            self._early.discard(name)
            if name in self._closed:
                raise ReopenedError
        elif self._is_known(name):
            self._close(name)
        elif name >= self.read_to:
            self._early.add(name)

    def forget(self, oldest: int) -> None:
        """Kafka has nothing before this offset any more."""
        if oldest == self._oldest:
            return
        self._oldest = oldest
        gone = {name for name in self._names() if self._lies_at.get(name, name) < oldest}
        self._closed -= gone
        for name in gone:
            self._lies_at.pop(name, None)
            self._close(name, forgotten=True)

    def standing(self) -> Iterator[tuple[Kind, Standing]]:
        """Of each kind of which there are some."""
        for kind, letters in self._open.items():
            if letters:
                oldest_ms = min(letters.values())
                yield kind, Standing(len(letters), None if oldest_ms == NO_TIME else oldest_ms)

    def _is_known(self, name: int) -> bool:
        return name in self._closed or any(name in letters for letters in self._open.values())

    def _close(self, name: int, *, forgotten: bool = False) -> None:
        for letters in self._open.values():
            letters.pop(name, None)
        if not forgotten:
            self._closed.add(name)

    def _names(self) -> Iterator[int]:
        yield from self._closed
        for letters in self._open.values():
            yield from letters
