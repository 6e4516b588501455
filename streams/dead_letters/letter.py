"""A dead letter as operators see it: with the decision on it, the state that it is in, and whose it is."""

from dataclasses import dataclass

from schemas.codec import claimed_id
from schemas.dead_letter import DeadLetter
from schemas.decision import Decision, LetterState
from schemas.person_id import key_text, presentable


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter, the last decision on it, and the state that it is in."""

    letter: DeadLetter
    decision: Decision | None
    state: LetterState

    @property
    def user_id(self) -> str | None:
        """The person whom its value names, else its key."""
        return presentable(claimed_id(self.letter.value) or key_text(self.letter.key))
