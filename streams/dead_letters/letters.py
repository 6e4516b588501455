"""Reads the dead letters of a cluster with the decisions on them; writes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.codec import claimed_id
from schemas.dead_letter import DeadLetter, LetterName, read_letter
from schemas.decision import Decision, LetterState, decode_decision, state_of
from schemas.person_id import key_text, presentable
from streams.kafka import topic_plan
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings


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


class Letters:
    """The dead letters as they are now, partition by partition; memory is that of a partition's decisions."""

    def __init__(self, settings: Settings, reader: PartitionReader) -> None:
        self._settings = settings
        self._reader = reader

    def partitions(self) -> list[int]:
        """The partitions of the dead-letter topic."""
        return self._reader.partitions(self._settings.topic(topic_plan.DLQ))

    def decisions(self, partition: int) -> dict[LetterName, Decision]:
        """The last decision on each letter whose name begins with this partition."""
        place = (self._settings.topic(topic_plan.DLQ_DECISIONS), partition)
        found: dict[LetterName, Decision] = {}
        for record in self._reader.read(place):
            name = _letter_named(record.key)
            if name is None:
                continue
            decision = decode_decision(record.value) if record.value else None
            if decision is None:
                found.pop(name, None)
            else:
                found[name] = decision
        return found

    def read(self, partition: int, start: int | None = None) -> Iterator[Letter]:
        """Yield a partition's letters from `start` (the oldest) on; what no worker of ours has written is left out."""
        decisions = self.decisions(partition)
        place = (self._settings.topic(topic_plan.DLQ), partition)
        oldest, _ = self._reader.bounds(place)
        anew: set[LetterName] = set()  # letters that were written anew: their first place may still be there
        for record in self._reader.read(place, start):
            letter = read_letter(record)
            if letter is None:
                continue
            if letter.offset != letter.name.offset:
                if letter.name in anew or letter.name.offset >= oldest:
                    continue
                anew.add(letter.name)
            decision = decisions.get(letter.name)
            state = state_of(decision, replays=letter.replays, replays_max=self._settings.max_replays)
            yield Letter(letter=letter, decision=decision, state=state)


def _letter_named(key: bytes | None) -> LetterName | None:
    try:
        return LetterName.parse((key or b"").decode())
    except ValueError:  # not one of a letter: what else stands on the topic has keys of another form
        return None
