"""Which letters of a selection a replay takes, and why it leaves others: found once, kept in a few bytes for each."""

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

from schemas.dead_letter import DeadLetter, LetterName
from schemas.decision import Decision
from streams.dead_letters.letter import Letter
from streams.dead_letters.selection import Selection

NAMES_TOLD: Final = 5

LeftAs: TypeAlias = Literal["replayed", "discarded", "parked", "uncertain"]


class Readable(Protocol):
    """The dead letters as they are now; see `Letters`."""

    def partitions(self) -> list[int]: ...  # noqa: D102
    def read(  # noqa: D102
        self,
        partition: int,
        *,
        start: int | None = None,
        end: int | None = None,
        decisions: Mapping[LetterName, Decision] | None = None,
    ) -> Iterator[Letter]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`again` takes letters that were replayed or discarded too, `force` those that were replayed too often.

    `even_if_sent` takes those of messages that may have gone out, which are `uncertain` otherwise.
    """

    replays_max: int
    again: bool = False
    force: bool = False
    even_if_sent: bool = False

    def leaves(self, found: Letter) -> LeftAs | None:
        """As what a letter is left where it lies; None when it may be replayed."""
        if not self.again and (found.state == "replayed" or found.state == "discarded"):  # noqa: PLR1714 - narrows the type
            return found.state
        is_worn_out = found.state == "parked" or found.letter.replays >= self.replays_max
        if is_worn_out and not self.force:
            return "parked"
        return "uncertain" if found.letter.reason == "ambiguous_send" and not self.even_if_sent else None


@dataclass(slots=True)
class Left:
    """How many letters were left for one reason, and the first few of them."""

    count: int = 0
    first: list[LetterName] = field(default_factory=list)

    def add(self, name: LetterName) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < NAMES_TOLD:
            self.first.append(name)

    def __str__(self) -> str:
        more = self.count - len(self.first)
        return ", ".join(map(str, self.first)) + (f" and {more} more" if more else "")


@dataclass(slots=True)
class Chosen:
    """What is to be done in one partition: where the letters lie, oldest first, and what was decided on them by then.

    `parks` are those on which it is to be written down that they were replayed too often.
    """

    replays: "array[int]" = field(default_factory=lambda: array("q"))
    parks: "array[int]" = field(default_factory=lambda: array("q"))
    decided: dict[LetterName, Decision] = field(default_factory=dict)

    def add(self, found: Letter, places: "array[int]") -> None:
        """Take a letter."""
        places.append(found.letter.offset)
        if found.decision is not None:
            self.decided[found.letter.name] = found.decision

    def bounds(self) -> tuple[int, int]:
        """The first of their offsets, and the one after the last."""
        both = [*self.replays[:1], *self.parks[:1], *self.replays[-1:], *self.parks[-1:]]
        return min(both), max(both) + 1


class Choice:
    """The letters of `selection`, at most `limit` of them to be replayed, found while `letters` is gone through."""

    def __init__(self, selection: Selection, rules: Rules, *, limit: int | None = None) -> None:
        self.partitions: dict[int, Chosen] = {}
        self.left: dict[LeftAs, Left] = {}
        self.missing: set[LetterName] = set(selection.names)
        self.count = 0
        self.parked = 0
        self._selection = selection
        self._rules = rules
        self._limit = limit

    def letters(self, letters: Readable) -> Iterator[DeadLetter]:
        """Yield those to be replayed, partition by partition, as they lie."""
        for partition in self._selection.partitions(letters.partitions()):
            for found in self._found(letters, partition):
                if self._limit is not None and self.count == self._limit:
                    return
                if self._take(found, self.partitions.setdefault(partition, Chosen())):
                    yield found.letter

    def _found(self, letters: Readable, partition: int) -> Iterator[Letter]:
        named = {name for name in self._selection.names if name.partition == partition}
        # A letter lies where its name says, or behind that, where it was written anew.
        for found in letters.read(partition, start=min(named).offset if named else None):
            if self._selection.matches(found):
                yield found
                named.discard(found.letter.name)
                if self._selection.names and not named:
                    return

    def _take(self, found: Letter, chosen: Chosen) -> bool:
        self.missing.discard(found.letter.name)
        left_as = self._rules.leaves(found)
        if left_as is None:
            chosen.add(found, chosen.replays)
            self.count += 1
            return True
        self.left.setdefault(left_as, Left()).add(found.letter.name)
        if left_as == "parked" and found.decision is None:
            chosen.add(found, chosen.parks)
            self.parked += 1
        return False


@dataclass(frozen=True, slots=True)
class Due:
    """A letter found again, and whether it is to be replayed, or parked."""

    letter: DeadLetter
    is_replay: bool


def due(
    letters: Readable,
    partition: int,
    chosen: Chosen,
    decisions: Mapping[LetterName, Decision],
    skip: Callable[[], None],
) -> Iterator[Due]:
    """Yield the chosen letters as they lie; `skip` is called for each on which something was decided meanwhile."""
    if not chosen.replays and not chosen.parks:
        return
    replays, parks = _Places(chosen.replays), _Places(chosen.parks)
    start, end = chosen.bounds()
    for found in letters.read(partition, start=start, end=end, decisions=decisions):
        letter = found.letter
        is_replay = replays.has(letter.offset)
        if is_replay or parks.has(letter.offset):
            if found.decision == chosen.decided.get(letter.name):
                yield Due(letter, is_replay)
            elif is_replay:
                skip()


class _Places:
    """Offsets in ascending order, asked for in ascending order: no set of a million numbers."""

    def __init__(self, places: Collection[int]) -> None:
        self._places = iter(places)
        self._next = next(self._places, None)

    def has(self, offset: int) -> bool:
        while self._next is not None and self._next < offset:
            self._next = next(self._places, None)
        return self._next == offset
