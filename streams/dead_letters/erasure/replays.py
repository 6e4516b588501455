"""Takes a person's replays off `customerio-replay`, once workers have dealt with them: nothing there needs to stay."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from confluent_kafka.admin import AdminClient

from schemas.errors import UnavailableError
from streams.dead_letters.erasure.rule import Person
from streams.dead_letters.erasure.settled import settled_end
from streams.kafka import topic_plan
from streams.kafka.clients import librdkafka_config
from streams.kafka.deletion import delete_before
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.partition_reader import PartitionReader, Place
from streams.settings import Settings

LOOK_S: Final = 1.0
SAY_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Of one partition: workers must have gone on to `concluded`, then all before `end` can go."""

    concluded: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayEraser:
    """`committed` reads what counts, `everything` also what does not."""

    settings: Settings
    person: Person
    committed: PartitionReader
    everything: PartitionReader
    admin: AdminClient
    say: Callable[[str], None]

    def wait(self, partitions: Collection[int], wait_s: float) -> dict[Place, int]:
        """Wait until workers have dealt with all replays of these partitions; give the ends up to which they can go.

        Raises:
            UnavailableError: they do not get there in time.
        """
        topic = self.settings.topic(topic_plan.REPLAY)
        targets = {(topic, partition): self._target((topic, partition)) for partition in partitions}
        self._wait(targets, wait_s)
        return {place: target.end for place, target in targets.items()}

    def erase(self, ends: Mapping[Place, int]) -> None:
        """Delete them."""
        if ends:
            delete_before(self.admin, ends)

    def _target(self, place: Place) -> Target:
        """A worker's offset stands behind the last record, before what ends its transaction: so far is deleted.

        Only where something of the person that was rolled back lies behind that, all is: what is taken away then are no
        records, although a worker that starts next says in its log that some were deleted before their turn.
        """
        end = settled_end(place, self.committed, self.everything)
        concluded = 0
        for record in self.committed.read(place, end=end):
            concluded = record.offset + 1
        behind = self.everything.read(place, concluded, end)
        is_behind = any(self.person.relation(each.key, each.value, each.headers) != "none" for each in behind)
        return Target(concluded=concluded, end=end if is_behind else concluded)

    def _wait(self, targets: Mapping[Place, Target], wait_s: float) -> None:
        reader = LedgerReader(librdkafka_config(self.settings), group=self.settings.app_id)
        started = said = time.monotonic()
        while waiting := _unfinished(targets, reader.committed(targets) if targets else {}):
            now = time.monotonic()
            if now - started > wait_s:
                raise UnavailableError(
                    f"Replays wait for a worker on {', '.join(waiting)}: start workers, then run it again; nothing was"
                    " erased yet"
                )
            if now - said > SAY_S:
                said = now
                self.say(f"waiting for workers to deal with the replays on {', '.join(waiting)}")
            time.sleep(LOOK_S)


def _unfinished(targets: Mapping[Place, Target], committed: Mapping[Place, int]) -> list[str]:
    return [
        f"{topic}/{partition}"
        for (topic, partition), target in targets.items()
        if max(0, committed[topic, partition]) < target.concluded
    ]
