"""Replays the letters that were chosen: copies and decisions go out together, a bounded batch in each transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from agents.steps.report import iso_utc
from schemas.dead_letter import DeadLetter, LetterName
from schemas.decision import Decision, replays_after
from streams.dead_letters.batches import batches
from streams.dead_letters.choice import Choice, Chosen, due
from streams.dead_letters.copies import ReplayCopy, Terms, copy_of
from streams.dead_letters.decisions import DecisionWriter, Outgoing
from streams.dead_letters.letters import Letters
from streams.dead_letters.pace import Pace
from streams.kafka import topic_plan
from streams.settings import Settings

BATCH_LETTERS: Final = 500
BATCH_BYTES: Final = 8_000_000  # beyond one letter


@dataclass(slots=True)
class Tally:
    """How many letters were replayed, or parked; `skipped` are those that somebody else decided on first."""

    replayed: int = 0
    parked: int = 0
    skipped: int = 0


class Replay:
    """Works through a choice until it is done or `pace` is over; `tally` counts what is committed."""

    def __init__(
        self,
        settings: Settings,
        letters: Letters,
        *,
        terms: Terms,
        by: str,
        pace: Pace,
        clock_ms: Callable[[], int],
    ) -> None:
        self.tally = Tally()
        self._settings = settings
        self._letters = letters
        self._terms = terms
        self._by = by
        self._pace = pace
        self._clock_ms = clock_ms
        self._observe: Callable[[Tally], None] = lambda _: None

    def run(self, choice: Choice, observe: Callable[[Tally], None]) -> None:
        """Replay, partition by partition, in the order of the records; `observe` is told of each step.

        Raises:
            MovedError: letters do not lie where they were chosen; as below.
            OvertakenError: somebody else has begun on a partition; `tally` says how far we came.
            UnavailableError: Kafka does not answer; as above.
        """
        self._observe = observe
        for partition, chosen in choice.partitions.items():
            if self._pace.is_over:
                return
            self._run_partition(partition, chosen)

    def _run_partition(self, partition: int, chosen: Chosen) -> None:
        with DecisionWriter(self._settings, self._letters, partition) as writer:
            names = (LetterName(partition, offset) for offset in chosen.parks)
            undecided = (name for name in names if name not in writer.decisions)
            while batch := list(islice(undecided, BATCH_LETTERS)):
                if self._pace.is_over:
                    return
                self._park(writer, batch)
            found = due(self._letters, partition, chosen, writer.decisions, self._skip)
            letters_max = min(BATCH_LETTERS, self._pace.at_once)
            for letters in batches(found, records_max=letters_max, bytes_max=BATCH_BYTES):
                if not self._pace.wait(len(letters)):
                    return
                self._write(writer, letters)

    def _park(self, writer: DecisionWriter, names: Sequence[LetterName]) -> None:
        writer.commit(dict.fromkeys(names, Decision(decision="parked", at=iso_utc(self._clock_ms()), by=self._by)))
        self.tally.parked += len(names)
        self._observe(self.tally)

    def _write(self, writer: DecisionWriter, batch: Sequence[DeadLetter]) -> None:
        at = iso_utc(self._clock_ms())
        first = Decision(decision="replayed", at=at, by=self._by, note=self._terms.note, replays=replays_after(None))
        decided = {}
        for letter in batch:
            before = writer.decisions.get(letter.name)
            decided[letter.name] = replace(first, replays=replays_after(before)) if before else first
        copies = (copy_of(letter, self._terms) for letter in batch)
        writer.commit(decided, (outgoing(copy, self._settings) for copy in copies))
        self.tally.replayed += len(batch)
        self._observe(self.tally)

    def _skip(self) -> None:
        self.tally.skipped += 1
        self._observe(self.tally)


def outgoing(copy: ReplayCopy, settings: Settings) -> Outgoing:
    """A copy as it is written: to the partition of its letter's name, where the ledger of its person is."""
    topic, partition = settings.topic(topic_plan.REPLAY), copy.letter.name.partition
    return Outgoing(topic=topic, partition=partition, key=copy.key, value=copy.value, headers=copy.headers)
