"""Tells which copy of a letter counts: they are written anew when others must be erased, and old copies may be left."""

from schemas.dead_letter import DeadLetter, LetterName


class Folding:
    """For one partition, read from its `oldest` record on, in order."""

    def __init__(self, oldest: int) -> None:
        self._oldest = oldest
        self._anew: set[LetterName] = set()

    def is_passed_over(self, letter: DeadLetter) -> bool:
        """Whether it is a copy of one that counts already: the first place while it is there, else the first copy."""
        if letter.offset == letter.name.offset:
            return False
        if letter.name in self._anew or letter.name.offset >= self._oldest:
            return True
        self._anew.add(letter.name)
        return False
