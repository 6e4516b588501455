"""Takes a person's id off `customerio-ledger-people`; that they are deleted or opted out stays, under a hashed key.

The topic is compacted: the id is overwritten by a tombstone here, and gone once Kafka has compacted it.
"""

from dataclasses import dataclass
from typing import Final

from schemas.errors import UnavailableError
from schemas.person_id import erased_key
from schemas.person_state import pack, unpack
from streams.dead_letters.decisions import DecisionWriter, Outgoing
from streams.dead_letters.erase_rule import Person
from streams.dead_letters.letters import Letters
from streams.dead_letters.settled import settled_end
from streams.kafka import topic_plan
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings

ATTEMPTS: Final = 5


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
        with DecisionWriter(self.settings, Letters(self.settings, self.committed), partition) as writer:
            state, position = self._last_state(partition, 0)
            for _ in range(ATTEMPTS):
                writer.commit({}, self._records(partition, state))
                state, position = self._last_state(partition, position)
                if state is None:
                    return
        raise UnavailableError("Workers write of this person all the time: see to the publisher, then run it again")

    def _last_state(self, partition: int, start: int) -> tuple[bytes | None, int]:
        """The last state under the id from there on, whatever lies behind it, and how far that was read."""
        place = (self.settings.topic(topic_plan.LEDGER_PEOPLE), partition)
        end = settled_end(place, self.committed, self.everything)
        state = None
        for record in self.committed.read(place, start, end):
            if record.key == self.person.key and record.value is not None:
                state = record.value
        return state, end

    def _records(self, partition: int, state: bytes | None) -> list[Outgoing]:
        topic = self.settings.topic(topic_plan.LEDGER_PEOPLE)
        tombstone = Outgoing(topic=topic, partition=partition, key=self.person.key, value=None)
        if state is None:
            return [tombstone]
        # The fingerprint goes too: whoever guesses what the person's data was could verify it by that.
        kept = pack(unpack(state)._replace(fingerprint=None))
        return [Outgoing(topic=topic, partition=partition, key=erased_key(self.person.key), value=kept), tombstone]
