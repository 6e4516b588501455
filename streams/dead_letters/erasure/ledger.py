"""Takes a person's id off `customerio-ledger-people`; that they are deleted or opted out stays, under a hashed key.

The topic is compacted: the id is overwritten by a tombstone here, and gone once Kafka has compacted it.
"""

from dataclasses import dataclass, field
from typing import Final

from schemas.errors import UnavailableError
from schemas.person_id import erased_key
from schemas.person_state import UNKNOWN, PersonState, following, pack, unpack
from streams.dead_letters.decisions import DecisionWriter, Outgoing
from streams.dead_letters.erasure.rule import Person
from streams.dead_letters.erasure.settled import settled_end
from streams.dead_letters.letters import Letters
from streams.kafka import topic_plan
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings

ATTEMPTS: Final = 5


@dataclass(slots=True)
class Known:
    """What the records of a partition say of a person, taken in their order.

    `kept` is the state that must stay, `is_named` whether the id was met since it was last asked what to write.
    """

    person: Person
    kept: PersonState | None = None
    is_named: bool = False
    _standing: bytes | None = field(default=None, init=False)
    _written: bytes | None = field(default=None, init=False)

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Take the next record: a state under the hash is newer than those under the id that lie before it.

        Not so what this erasure itself has written: a worker's newer state may lie before that.
        """
        if key == self.person.key and value is not None:
            self.is_named = True
            self._follow(value)
        elif key == erased_key(self.person.key):
            self._standing = value
            if value is not None and value != self._written:
                self._follow(value)

    def _follow(self, value: bytes) -> None:
        # The fingerprint goes too: whoever guesses what the person's data was could verify it by that.
        self.kept = following(self.kept or UNKNOWN, unpack(value))._replace(fingerprint=None)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be written."""
        return not self.is_named and self._standing == self._packed()

    def to_write(self) -> bytes | None:
        """What is to be written under the hash; None when it stands there."""
        self.is_named = False
        self._written = self._packed()
        return None if self._standing == self._written else self._written

    def _packed(self) -> bytes | None:
        return None if self.kept is None else pack(self.kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEraser:
    """`committed` reads what counts, `everything` also what does not."""

    settings: Settings
    person: Person
    committed: PartitionReader
    everything: PartitionReader

    def erase(self, partition: int) -> None:
        """Overwrite the id in one partition.

        A worker may write a newer state at the same time: then that one is kept, so none is lost. The tombstone is
        written also where there is one, for Kafka keeps an old one as long as was set when it first saw it.

        Raises:
            OvertakenError: another command has begun on this partition.
            UnavailableError: it could not be done, or workers write of the person all the time.
        """
        known = Known(self.person)
        with DecisionWriter(self.settings, Letters(self.settings, self.committed), partition) as writer:
            position = self._read(partition, 0, known)
            for _ in range(ATTEMPTS):
                writer.commit({}, self._records(partition, known.to_write()))
                position = self._read(partition, position, known)
                if known.is_done:
                    return
        raise UnavailableError("Workers write of this person all the time: see to the publisher, then run it again")

    def _read(self, partition: int, start: int, known: Known) -> int:
        """Take the records from there on; how far that was."""
        place = (self.settings.topic(topic_plan.LEDGER_PEOPLE), partition)
        end = settled_end(place, self.committed, self.everything)
        for record in self.committed.read(place, start, end):
            known.take(record.key, record.value)
        return end

    def _records(self, partition: int, state: bytes | None) -> list[Outgoing]:
        topic = self.settings.topic(topic_plan.LEDGER_PEOPLE)
        tombstone = Outgoing(topic=topic, partition=partition, key=self.person.key, value=None)
        if state is None:
            return [tombstone]
        return [Outgoing(topic=topic, partition=partition, key=erased_key(self.person.key), value=state), tombstone]
