"""Replays the letters that were chosen: copies and decisions go out together, a bounded batch in each transaction."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from agents.steps.report import iso_utc
from schemas.decision import Decision
from streams.dead_letters.choice import Choice, Chosen, Due, due
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
        """Replay, partition by partition, in the order of the letters; `observe` is told of each step.

        Raises:
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
            found = due(self._letters, partition, chosen, writer.decisions, self._skip)
            for batch in _batches(found, letters_max=min(BATCH_LETTERS, self._pace.at_once)):
                if not self._pace.wait(len(batch)):
                    return
                self._write(writer, batch)

    def _write(self, writer: DecisionWriter, batch: list[Due]) -> None:
        at = iso_utc(self._clock_ms())
        replayed = Decision(decision="replayed", at=at, by=self._by, note=self._terms.note)
        parked = Decision(decision="parked", at=at, by=self._by)
        decided = {each.letter.name: replayed if each.is_replay else parked for each in batch}
        copies = (copy_of(each.letter, self._terms) for each in batch if each.is_replay)
        writer.commit(decided, (outgoing(copy, self._settings) for copy in copies))
        count = sum(each.is_replay for each in batch)
        self.tally.replayed += count
        self.tally.parked += len(batch) - count
        self._observe(self.tally)

    def _skip(self) -> None:
        self.tally.skipped += 1
        self._observe(self.tally)


def outgoing(copy: ReplayCopy, settings: Settings) -> Outgoing:
    """A copy as it is written: to the partition of its letter's name, where the ledger of its person is."""
    topic, partition = settings.topic(topic_plan.REPLAY), copy.letter.name.partition
    return Outgoing(topic=topic, partition=partition, key=copy.key, value=copy.value, headers=copy.headers)


def _batches(found: Iterable[Due], *, letters_max: int) -> Iterator[list[Due]]:
    batch: list[Due] = []
    size = 0
    for each in found:
        batch.append(each)
        size += len(each.letter.value or b"")
        if len(batch) >= letters_max or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
