"""Discards letters: a recorded decision on each, and the letter stays where it is."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from schemas.dead_letter import LetterName
from schemas.decision import Decision, LetterState
from streams.dead_letters.decisions import DecisionWriter
from streams.dead_letters.letter import Letter
from streams.dead_letters.letters import Letters
from streams.dead_letters.places import Order, Places
from streams.dead_letters.selected import selected
from streams.dead_letters.selection import Selection
from streams.settings import Settings

BATCH_LETTERS: Final = 2_000  # one transaction, which takes a fraction of a second
NAMES_TOLD: Final = 1_000
DISCARDABLE: Final[frozenset[LetterState]] = frozenset({"open", "parked"})


@dataclass(slots=True)
class Survey:
    """What a selection holds: how many may be discarded, by reason; which were named and are not there.

    `orders` has all letters of the selection by partition, whatever their state.
    """

    reasons: Counter[str] = field(default_factory=Counter)
    missing: set[LetterName] = field(default_factory=set)
    orders: dict[int, Order] = field(default_factory=dict)


@dataclass(slots=True)
class Discarded:
    """What came of it, with the first `NAMES_TOLD` of those discarded, and of those skipped with their states."""

    count: int = 0
    first: list[LetterName] = field(default_factory=list)
    skipped_count: int = 0
    skipped: list[tuple[LetterName, LetterState]] = field(default_factory=list)

    def add(self, batch: Sequence[Letter]) -> None:
        """Count letters whose decisions are written."""
        self.count += len(batch)
        self.first += [found.letter.name for found in batch[: NAMES_TOLD - len(self.first)]]

    def skip(self, found: Letter) -> None:
        """Leave a letter that was decided on."""
        self.skipped_count += 1
        if len(self.skipped) < NAMES_TOLD:
            self.skipped.append((found.letter.name, found.state))


class Discard:
    """Of the letters of a selection, those that lie there when it is surveyed: what comes later was not asked about."""

    def __init__(self, settings: Settings, letters: Letters, selection: Selection) -> None:
        self._settings = settings
        self._letters = letters
        self._selection = selection
        self.survey = Survey(missing=set(selection.names))
        self.discarded = Discarded()

    def look(self) -> Survey:
        """Find out what would be discarded; writes nothing."""
        for partition in self._selection.partitions(self._letters.partitions()):
            places = Places()
            for found in selected(self._letters, self._selection, partition=partition):
                places.add(found.letter)
                self.survey.missing.discard(found.letter.name)
                if found.state in DISCARDABLE:
                    self.survey.reasons[found.letter.reason] += 1
            self.survey.orders[partition] = places.in_order()
        return self.survey

    def write(self, decision: Decision) -> None:
        """Write the decision on each; `discarded` says at any time how far it has come.

        Raises:
            MovedError: letters do not lie where they did.
            OvertakenError: somebody else has begun to decide on the same letters.
            UnavailableError: Kafka does not answer.
        """
        for partition, order in self.survey.orders.items():
            with DecisionWriter(self._settings, self._letters, partition) as writer:
                # Read again, now that nobody else can decide.
                chosen = self._discardable(order.letters(self._letters, partition, writer.decisions))
                while batch := list(islice(chosen, BATCH_LETTERS)):
                    writer.commit({found.letter.name: _counted(decision, found) for found in batch})
                    self.discarded.add(batch)

    def _discardable(self, letters: Iterator[Letter]) -> Iterator[Letter]:
        for found in letters:
            if found.state in DISCARDABLE:
                yield found
            else:
                self.discarded.skip(found)


def _counted(decision: Decision, found: Letter) -> Decision:
    """The decision with how often the letter was replayed before, which must not be forgotten."""
    replays = found.decision.replays if found.decision else 0
    return replace(decision, replays=replays) if replays else decision
