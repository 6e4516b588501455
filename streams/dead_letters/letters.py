"""Reads the dead letters of a cluster with the decisions on them; writes nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from schemas.dead_letter import NAMED, LetterName, read_letter, replay_texts
from schemas.decision import Decision, decided_letter, decode_decision, state_of
from schemas.errors import StreamsError
from schemas.record import Stored
from streams.dead_letters.folding import Folding
from streams.dead_letters.letter import Letter
from streams.kafka import topic_plan
from streams.kafka.partition_reader import GoneError, PartitionReader, Place
from streams.settings import Settings


class MovedError(StreamsError):
    """Letters do not lie where they did when they were chosen, or when it was begun to read them."""

    def __init__(self, partition: int) -> None:
        super().__init__(
            f"Letters of partition {partition} have moved, by an erasure, or are gone meanwhile:"
            " run it again for what is left"
        )


class Letters:
    """The dead letters as they are now, partition by partition; memory is that of a partition's decisions."""

    def __init__(self, settings: Settings, reader: PartitionReader) -> None:
        self._settings = settings
        self._reader = reader
        self._foreign: dict[int, int] = {}

    @property
    def foreign(self) -> int:
        """How many records were passed over because no worker of ours has written them, each counted once."""
        return sum(self._foreign.values())

    def partitions(self) -> list[int]:
        """The partitions of the dead-letter topic."""
        return self._reader.partitions(self._settings.topic(topic_plan.DLQ))

    def decisions(self, partition: int) -> dict[LetterName, Decision]:
        """The last decision on each letter whose name begins with this partition."""
        found: dict[LetterName, Decision] = {}
        for name, decision in self.history(partition):
            if decision is None:
                found.pop(name, None)
            else:
                found[name] = decision
        return found

    def history(self, partition: int) -> Iterator[tuple[LetterName, Decision | None]]:
        """Yield what was decided, oldest first, as far as Kafka has kept it; None takes the last one back."""
        place = (self._settings.topic(topic_plan.DLQ_DECISIONS), partition)
        for record in self._reader.read_settled(place):
            name = decided_letter(record.key)
            if name is not None:
                yield name, decode_decision(record.value) if record.value else None

    def copies(self, name: LetterName, since_ms: int) -> Iterator[Stored]:
        """Yield a letter's replays, oldest first, as far as Kafka has kept them: those written from a time on."""
        place = (self._settings.topic(topic_plan.REPLAY), name.partition)
        for record in self._reader.read_settled(place, self._reader.offset_at(place, since_ms)):
            if replay_texts(record.headers).get(NAMED) == str(name):
                yield record

    def read(
        self,
        partition: int,
        *,
        start: int | None = None,
        end: int | None = None,
        decisions: Mapping[LetterName, Decision] | None = None,
    ) -> Iterator[Letter]:
        """Yield a partition's letters, oldest first; what no worker of ours has written is passed over.

        Those that lie from `start` (the oldest) to before `end` (the present one); `decisions` are those on them, where
        they have been read already.

        Raises:
            MovedError: an erasure deletes meanwhile what was to be read; what lies before was yielded.
        """
        decided = self.decisions(partition) if decisions is None else decisions
        place = (self._settings.topic(topic_plan.DLQ), partition)
        bounds = self._reader.bounds(place)
        folding, foreign = Folding(bounds[0]), 0
        for record in self._records(place, start, end, bounds):
            letter = read_letter(record)
            if letter is None:
                foreign += 1
                self._foreign[partition] = max(foreign, self._foreign.get(partition, 0))
                continue
            if folding.is_passed_over(letter):
                continue
            decision = decided.get(letter.name)
            if decision is not None and decision.replays:
                letter = replace(letter, replays=letter.replays + decision.replays)
            state = state_of(decision, replays=letter.replays, replays_max=self._settings.max_replays)
            yield Letter(letter=letter, decision=decision, state=state)

    def _records(self, place: Place, start: int | None, end: int | None, bounds: tuple[int, int]) -> Iterator[Stored]:
        try:
            yield from self._reader.read(place, start, end, bounds=bounds)
        except GoneError as error:
            raise MovedError(place[1]) from error

    def find(self, name: LetterName) -> Letter | None:
        """The letter of that name: it lies there, or behind, where it was written anew."""
        if name.partition not in self.partitions():
            return None
        return next(
            (found for found in self.read(name.partition, start=name.offset) if found.letter.name == name), None
        )
