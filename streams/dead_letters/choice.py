"""Which letters of a selection a replay takes, and why it leaves others: found once, kept in a few bytes for each."""

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from schemas.dead_letter import DeadLetter, LetterName
from schemas.decision import Decision
from schemas.times import unix_ms
from streams.dead_letters.letter import Letter
from streams.dead_letters.places import Order, Places, Readable
from streams.dead_letters.selection import Selection

NAMES_TOLD: Final = 5

LeftAs: TypeAlias = Literal["replayed", "discarded", "parked", "uncertain", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`again` takes letters that were replayed or discarded too, `force` those that were replayed too often.

    `even_if_sent` takes those of messages that may have gone out, which are `uncertain` otherwise. With
    `decided_before_ms` those that somebody has decided on from then on are `done`, whatever else is taken: so a replay
    goes on that was interrupted.
    """

    replays_max: int
    again: bool = False
    force: bool = False
    even_if_sent: bool = False
    decided_before_ms: int | None = None

    def leaves(self, found: Letter) -> LeftAs | None:
        """As what a letter is left where it lies; None when it may be replayed."""
        if not self.again and (found.state == "replayed" or found.state == "discarded"):  # noqa: PLR1714 - narrows the type
            return found.state
        if self._is_done(found.decision):
            return "done"
        is_worn_out = found.state == "parked" or found.letter.replays >= self.replays_max
        if is_worn_out and not self.force:
            return "parked"
        return "uncertain" if found.letter.reason == "ambiguous_send" and not self.even_if_sent else None

    def _is_done(self, decision: Decision | None) -> bool:
        if decision is None or self.decided_before_ms is None:
            return False
        try:
            return unix_ms(decision.at) >= self.decided_before_ms
        except ValueError:  # written by no command of ours
            return False


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
    """What is to be done in one partition, and what was decided on its letters by then.

    `parks` are the offsets in the names of those on which it is to be written down that they were replayed too often.
    """

    replays: Order = field(default_factory=Order)
    parks: "array[int]" = field(default_factory=lambda: array("q"))
    decided: dict[LetterName, Decision] = field(default_factory=dict)


class Choice:
    """The letters of `selection`, at most `limit` of them to be replayed."""

    def __init__(self, selection: Selection, rules: Rules, *, limit: int | None = None) -> None:
        self.partitions: dict[int, Chosen] = {}
        self.left: dict[LeftAs, Left] = {}
        self.missing: set[LetterName] = set(selection.names)
        self.count = 0
        self.parked = 0
        self._selection = selection
        self._rules = rules
        self._limit = limit

    def look(self, letters: Readable) -> None:
        """Go through the letters, partition by partition: whole ones, for the oldest record may lie last."""
        for partition in self._selection.partitions(letters.partitions()):
            room = None if self._limit is None else self._limit - self.count
            if room == 0 and not self.missing:
                return
            places, chosen = Places(), Chosen()
            for found in self._found(letters, partition):
                self._take(found, places, chosen)
            chosen.replays = places.in_order(room)
            self.count += len(chosen.replays.offsets)
            self.parked += len(chosen.parks)
            self.partitions[partition] = chosen

    def letters(self, letters: Readable) -> Iterator[DeadLetter]:
        """Yield those to be replayed, in the order in which they will be.

        Raises:
            MovedError: they do not lie where they did.
        """
        for partition, chosen in self.partitions.items():
            for found in chosen.replays.letters(letters, partition, chosen.decided):
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

    def _take(self, found: Letter, places: Places, chosen: Chosen) -> None:
        letter = found.letter
        self.missing.discard(letter.name)
        left_as = self._rules.leaves(found)
        if left_as is None:
            places.add(letter)
            if found.decision is not None:
                chosen.decided[letter.name] = found.decision
            return
        self.left.setdefault(left_as, Left()).add(letter.name)
        if left_as == "parked" and found.decision is None:
            chosen.parks.append(letter.name.offset)


def due(
    letters: Readable,
    partition: int,
    chosen: Chosen,
    decisions: Mapping[LetterName, Decision],
    skip: Callable[[], None],
) -> Iterator[DeadLetter]:
    """Yield the letters to be replayed, in order; `skip` is called for each on which something was decided meanwhile.

    Raises:
        MovedError: they do not lie where they did.
    """
    for found in chosen.replays.letters(letters, partition, decisions):
        if found.decision == chosen.decided.get(found.letter.name):
            yield found.letter
        else:
            skip()
