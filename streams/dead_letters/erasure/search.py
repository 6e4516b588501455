"""Finds what the topics that can be cleared hold of a person, also what was rolled back. Changes nothing."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from schemas.dead_letter import LetterName, read_letter
from schemas.decision import decision_key
from schemas.person_id import erased_key
from schemas.person_state import PersonState, unpack
from streams.dead_letters.erasure.rule import Person, Relation
from streams.dead_letters.erasure.said import is_told_in, is_unsaid, read_said
from streams.kafka import topic_plan
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings

NAMED_MAX: Final = 1_000


@dataclass(slots=True, kw_only=True)
class Holdings:
    """How many records of the person there are, by short name of the topic and partition.

    `likely` and `mentions` count letters that are no more than that, `named` has the first of each by name. `states` is
    what the ledger says of the person, by partition; `decision_keys` are those of decisions on the person's letters.
    """

    records: dict[str, Counter[int]] = field(default_factory=dict)
    likely: int = 0
    mentions: int = 0
    named: dict[Relation, list[str]] = field(default_factory=lambda: {"likely": [], "mentions": []})
    states: dict[int, PersonState] = field(default_factory=dict)
    decision_keys: set[bytes] = field(default_factory=set)

    def add(self, topic: str, partition: int, count: int = 1) -> None:
        """Count so many more."""
        if count:
            self.records.setdefault(topic, Counter())[partition] += count

    def note(self, relation: Relation, name: LetterName) -> None:
        """Note a letter that is not for certain the person's."""
        self.likely += relation == "likely"
        self.mentions += relation == "mentions"
        names = self.named.get(relation)
        if names is not None and len(names) < NAMED_MAX and str(name) not in names[-1:]:
            names.append(str(name))

    def partitions(self, topic: str) -> list[int]:
        """Where this topic holds the person."""
        return sorted(self.records.get(topic, ()))

    def count(self, topic: str) -> int:
        """How many records of this topic are the person's."""
        return sum(self.records.get(topic, Counter()).values())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to erase."""
        return not any(map(self.count, self.records))

    @property
    def is_deleted(self) -> bool | None:
        """Whether the person is deleted at Customer.io as far as the ledger knows; None when it does not know them."""
        return all(state.deleted for state in self.states.values()) if self.states else None


class Search:
    """Reads with `everything`, which shows also what is not committed."""

    def __init__(self, settings: Settings, person: Person, everything: PartitionReader) -> None:
        self._settings = settings
        self._person = person
        self._everything = everything

    def run(self) -> Holdings:
        """Read letters, decisions, replays and the ledger of people once, partition by partition."""
        found = Holdings()
        for partition in self._everything.partitions(self._settings.topic(topic_plan.DLQ)):
            self._decisions(found, partition, self._letters(found, partition))
            self._replays(found, partition)
            self._people(found, partition)
        return found

    def compacted(self, name: str, partition: int, decision_keys: set[bytes]) -> Holdings:
        """Read one partition of one compacted topic."""
        found = Holdings()
        if name == topic_plan.LEDGER_PEOPLE:
            self._people(found, partition)
        else:
            self._decisions(found, partition, decision_keys)
        return found

    def _place(self, name: str, partition: int) -> tuple[str, int]:
        return self._settings.topic(name), partition

    def _letters(self, found: Holdings, partition: int) -> set[bytes]:
        """Count letters; give the decisions' keys of those that are the person's."""
        keys = set()
        for record in self._everything.read(self._place(topic_plan.DLQ, partition)):
            relation = self._person.relation(record.key, record.value, record.headers)
            if relation == "none":
                continue
            letter = read_letter(record)
            name = letter.name if letter else LetterName(record.partition, record.offset)
            found.note(relation, name)
            if self._person.is_erased(relation):
                found.add(topic_plan.DLQ, partition)
                keys.add(decision_key(name))
        return keys

    def _decisions(self, found: Holdings, partition: int, keys: set[bytes]) -> None:
        """Also what an erasure has overwritten: until Kafka has compacted it, that one's end was not reached."""
        kept: Counter[bytes] = Counter()
        for record in self._everything.read(self._place(topic_plan.DLQ_DECISIONS, partition)):
            if record.key is None:
                continue
            said = read_said(record.key, record.value)
            if record.value is None or (said and is_unsaid(said)):
                count = kept.pop(record.key, 0)
            elif record.key in keys or (said and is_told_in(self._person, said)):
                count = 1
            else:
                kept[record.key] += 1
                continue
            found.add(topic_plan.DLQ_DECISIONS, partition, count)
            if record.key in keys:
                found.decision_keys.add(record.key)

    def _replays(self, found: Holdings, partition: int) -> None:
        for record in self._everything.read(self._place(topic_plan.REPLAY, partition)):
            if self._person.relation(record.key, record.value, record.headers) != "none":
                found.add(topic_plan.REPLAY, partition)

    def _people(self, found: Holdings, partition: int) -> None:
        named, hashed = self._person.key, erased_key(self._person.key)
        states: dict[bytes, bytes | None] = {}
        for record in self._everything.read(self._place(topic_plan.LEDGER_PEOPLE, partition)):
            if record.key == named or (record.key == hashed and _has_fingerprint(record.value)):
                found.add(topic_plan.LEDGER_PEOPLE, partition)
            if record.key in {named, hashed}:
                states[record.key] = record.value
        state = states.get(named) or states.get(hashed)
        if state:
            found.states[partition] = unpack(state)


def _has_fingerprint(state: bytes | None) -> bool:
    """Whoever guesses what the person's data was could verify it by that; workers write it with each delivery."""
    return state is not None and unpack(state).fingerprint is not None
