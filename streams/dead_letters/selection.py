"""Which dead letters a command is about: names, or filters that all must hold. Decides from the letter alone."""

from collections.abc import Collection
from dataclasses import dataclass

from schemas.dead_letter import LetterName
from schemas.decision import LetterState
from schemas.times import unix_ms
from streams.dead_letters.letter import Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """None means: whatever it is. `topic` (full name), `partition` and `offset` are the record's first place.

    `since_ms` and `until_ms` bound when it failed, in unix milliseconds, the first included, the second not.
    """

    names: Collection[LetterName] = ()
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    reason: str | None = None
    status: int | None = None
    user: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    states: Collection[LetterState] = ()

    def matches(self, found: Letter) -> bool:
        """Whether the letter is one of these; what costs most is asked last."""
        letter = found.letter
        pairs = (
            (self.topic, letter.origin.topic),
            (self.partition, letter.origin.partition),
            (self.offset, letter.origin.offset),
            (self.reason, letter.reason),
            (self.status, letter.status),
        )
        return (
            (not self.names or letter.name in self.names)
            and (not self.states or found.state in self.states)
            and all(wanted is None or wanted == actual for wanted, actual in pairs)
            and self._is_in_time(letter.failed_at)
            and (self.user is None or self.user == found.user_id)
        )

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows it."""
        return self == Selection()

    def partitions(self, all_of_them: Collection[int]) -> list[int]:
        """The partitions of the dead-letter topic that may hold such letters: a record's own, so mostly few."""
        named = {name.partition for name in self.names}
        return [
            each
            for each in all_of_them
            if (self.partition is None or each == self.partition) and (not named or each in named)
        ]

    def _is_in_time(self, failed_at: str) -> bool:
        if self.since_ms is None and self.until_ms is None:
            return True
        try:
            failed_ms = unix_ms(failed_at)
        except ValueError:
            return False
        return (self.since_ms or 0) <= failed_ms and (self.until_ms is None or failed_ms < self.until_ms)
