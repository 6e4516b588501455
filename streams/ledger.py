"""The ledger: what was delivered, in memory, restored from two topics when partitions are assigned.

Compacted `customerio-ledger-people` holds a packed state per person, `customerio-ledger-events` the fingerprints of the
dedupe window. The log is the truth: memory is only what has been read back or committed by us.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from agents.ports import Publication
from streams.ledger_reader import LedgerRecord


@dataclass(slots=True)
class PartitionMemory:
    """What is remembered of one partition; `position` says how far each of its topics has been read."""

    people: dict[bytes, bytes] = field(default_factory=dict)
    delivered_s: dict[bytes, int] = field(default_factory=dict)
    ages: deque[tuple[int, list[bytes]]] = field(default_factory=deque)
    position: dict[str, int] = field(default_factory=dict)

    def person(self, user_id: bytes) -> bytes | None:
        """The packed state of a person."""
        return self.people.get(user_id)

    def has_event(self, fingerprint: bytes) -> bool:
        """Whether an event of this fingerprint is within the window."""
        return fingerprint in self.delivered_s

    def add_events(self, delivered_s: int, fingerprints: list[bytes]) -> None:
        """Remember fingerprints that were delivered together."""
        if fingerprints:
            self.delivered_s.update(dict.fromkeys(fingerprints, delivered_s))
            self.ages.append((delivered_s, fingerprints))

    def forget_oldest(self) -> int:
        """Forget the fingerprints that were added first; how many those were."""
        delivered_s, fingerprints = self.ages.popleft()
        gone = 0
        for fingerprint in fingerprints:
            if self.delivered_s.get(fingerprint) == delivered_s:
                del self.delivered_s[fingerprint]
                gone += 1
        return gone


class Ledger:
    """The memories of the partitions that this worker owns, bounded in time and in number of fingerprints."""

    def __init__(self, *, window_s: float, entries_max: int, clock_s: Callable[[], float] = time.time) -> None:
        self._window_s = window_s
        self._entries_max = entries_max
        self._clock_s = clock_s
        self._partitions: dict[int, PartitionMemory] = {}
        self.evictions = 0

    def memory(self, partition: int) -> PartitionMemory:
        """The memory of an owned partition."""
        return self._partitions[partition]

    def keep(self, partitions: Collection[int]) -> Mapping[int, PartitionMemory]:
        """Own exactly these partitions: others are forgotten, new ones begin empty, to be restored."""
        self._partitions = {p: self._partitions.get(p) or PartitionMemory() for p in partitions}
        return self._partitions

    def restore_person(self, record: LedgerRecord) -> None:
        """Take over one record of the people's ledger; a null value means that the person is forgotten."""
        people = self._partitions[record.partition].people
        if record.value is None:
            people.pop(record.key, None)
        else:
            people[record.key] = record.value

    def restore_events(self, partition: int, delivered_s: int, fingerprints: list[bytes]) -> None:
        """Take over fingerprints that were delivered at that time."""
        if delivered_s > self._clock_s() - self._window_s:
            self._partitions[partition].add_events(delivered_s, fingerprints)
            self._bound()

    def remember(self, publication: Publication) -> None:
        """Take over what was committed."""
        memory = self._partitions.get(publication.chunk.partition)
        if memory is None:
            return  # revoked while it was being committed
        memory.people.update(publication.people)
        memory.add_events(publication.concluded_s, list(publication.events))
        self._bound()

    def _bound(self) -> None:
        oldest_s = self._clock_s() - self._window_s
        for memory in self._partitions.values():
            while memory.ages and memory.ages[0][0] <= oldest_s:
                memory.forget_oldest()
        while self.event_count() > self._entries_max:
            oldest = min((m for m in self._partitions.values() if m.ages), key=lambda memory: memory.ages[0][0])
            self.evictions += oldest.forget_oldest()

    def person_count(self) -> int:
        """How many persons are remembered."""
        return sum(len(memory.people) for memory in self._partitions.values())

    def event_count(self) -> int:
        """How many fingerprints are remembered."""
        return sum(len(memory.delivered_s) for memory in self._partitions.values())
