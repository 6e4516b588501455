"""The ledger: what was delivered, in memory, restored from three topics when partitions are assigned.

Compacted `customerio-ledger-people` holds a packed state per person, `customerio-ledger-events` the fingerprints of the
dedupe window, `customerio-ledger-sends` what was about to be sent, and what became of it. The log is the truth: memory
is only what has been read back or committed by us.
"""

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Self

from agents.ports import Publication
from schemas.person_id import ERASED, erased_key
from schemas.send_memory import SendPlace, SendState, unpack_entry
from streams.delivery.sends_memory import SendsMemory
from streams.kafka.ledger_reader import LedgerRecord
from streams.kafka.transactions import OutputTopics
from streams.settings import Settings


@dataclass(slots=True)
class PartitionMemory:
    """What is remembered of one partition; `position` says how far each of its topics has been read.

    `ages` is in the order of adding, which after a read-back is not that of delivery: `oldest_s` ends the window.
    """

    people: dict[bytes, bytes] = field(default_factory=dict)
    delivered_s: dict[bytes, float] = field(default_factory=dict)
    ages: deque[tuple[float, list[bytes]]] = field(default_factory=deque)
    position: dict[str, int] = field(default_factory=dict)
    oldest_s: float = -math.inf
    has_erased: bool = False
    sends: SendsMemory = field(default_factory=SendsMemory)
    oldest_send_s: float = -math.inf

    def person(self, user_id: bytes) -> bytes | None:
        """The packed state of a person, be it kept without the id because the person was erased."""
        state = self.people.get(user_id)
        return self.people.get(erased_key(user_id)) if state is None and self.has_erased else state

    def ledger_key(self, user_id: bytes) -> bytes:
        """Give the key under which the person is remembered, so that one who was erased is not named again."""
        erased = erased_key(user_id) if self.has_erased and user_id not in self.people else user_id
        return erased if erased in self.people else user_id

    def has_event(self, fingerprint: bytes) -> bool:
        """Whether an event of this fingerprint is within the window."""
        return self.delivered_s.get(fingerprint, -math.inf) > self.oldest_s

    def send_state(self, key: bytes) -> SendState:
        """What is known of a send's id."""
        return self.sends.state(key, oldest_s=self.oldest_send_s)

    def has_concluded(self, place: SendPlace) -> bool:
        """Whether the result of the send that stands there is out, although its offset is not committed."""
        return self.sends.has_concluded(place)

    def add_people(self, records: Iterable[LedgerRecord]) -> None:
        """Remember persons as they stand in the ledger; a null value means that one is forgotten."""
        for record in records:
            if record.value is None:
                self.people.pop(record.key, None)
            else:
                self.people[record.key] = record.value
                self.has_erased = self.has_erased or record.key.startswith(ERASED)

    def add_sends(self, records: Iterable[LedgerRecord]) -> None:
        """Remember sends as they stand in the ledger."""
        for record in records:
            if record.value:
                self.sends.take(record.key, unpack_entry(record.value), record.timestamp_s)

    def add_events(self, delivered_s: float, fingerprints: list[bytes]) -> None:
        """Remember fingerprints that were delivered together."""
        if fingerprints:
            self.delivered_s.update(dict.fromkeys(fingerprints, delivered_s))
            self.ages.append((delivered_s, fingerprints))

    def forget_oldest(self, count_max: int) -> int:
        """Forget up to so many of the fingerprints that were added first together; how many those were."""
        delivered_s, fingerprints = self.ages.popleft()
        gone = seen = 0
        while seen < len(fingerprints) and gone < count_max:
            if self.delivered_s.get(fingerprints[seen]) == delivered_s:
                del self.delivered_s[fingerprints[seen]]
                gone += 1
            seen += 1
        if seen < len(fingerprints):
            self.ages.appendleft((delivered_s, fingerprints[seen:]))
        return gone


class Ledger:
    """The memories of the partitions that this worker owns, bounded in time and in number of fingerprints and sends."""

    def __init__(
        self,
        *,
        window_s: float,
        entries_max: int,
        send_memory_s: float = math.inf,
        sends_max: int = sys.maxsize,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._window_s = window_s
        self._entries_max = entries_max
        self._send_memory_s = send_memory_s
        self._sends_max = sends_max
        self._clock_s = clock_s
        self._partitions: dict[int, PartitionMemory] = {}
        self.evictions = 0
        self.send_evictions = 0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Make one that is bounded as the settings say."""
        return cls(
            window_s=settings.dedupe_window_s,
            entries_max=settings.dedupe_max_entries,
            send_memory_s=settings.send_memory_s,
            sends_max=settings.send_max_entries,
        )

    def memory(self, partition: int) -> PartitionMemory:
        """The memory of an owned partition; what is beyond the window now is no longer in it."""
        self._bound()
        return self._partitions[partition]

    def keep(self, partitions: Collection[int]) -> Mapping[int, PartitionMemory]:
        """Own exactly these partitions: others are forgotten, new ones begin empty, to be restored."""
        self._partitions = {p: self._partitions.get(p) or PartitionMemory() for p in partitions}
        return self._partitions

    def restore(self, records: Sequence[LedgerRecord], topics: OutputTopics) -> None:
        """Take over what was read back of one topic and partition, and written in the same second."""
        first = records[0]
        memory = self._partitions.get(first.partition)
        if memory is None:
            return  # revoked while it was being read
        if first.topic == topics.people:
            memory.add_people(records)
        elif first.topic == topics.sends:
            memory.add_sends(records)
            self._bound_sends()
        elif first.timestamp_s > self._clock_s() - self._window_s:
            memory.add_events(first.timestamp_s, [record.key for record in records])
            self._bound()

    def begin(self, next_offsets: Mapping[tuple[str, int], int]) -> None:
        """Work will begin at these offsets: of sends that stand before, nobody will ask again by their place."""
        for partition, memory in self._partitions.items():
            memory.sends.begin({topic: offset for (topic, p), offset in next_offsets.items() if p == partition})

    def remember(self, publication: Publication) -> None:
        """Take over what was committed."""
        memory = self._partitions.get(publication.chunk.partition)
        if memory is None:
            return  # revoked while it was being committed
        memory.people.update(publication.people)
        memory.add_events(publication.concluded_s, list(publication.events))
        for key, entry in publication.sends:
            memory.sends.take(key, entry, publication.concluded_s)
        if publication.moves:
            memory.sends.moved(publication.chunk.topic, publication.chunk.next_offset)
        self._bound()

    def _bound(self) -> None:
        oldest_s = self._clock_s() - self._window_s
        for memory in self._partitions.values():
            memory.oldest_s = oldest_s
            while memory.ages and memory.ages[0][0] <= oldest_s:
                memory.forget_oldest(self._entries_max)
        while (excess := self.event_count() - self._entries_max) > 0:
            oldest = min((m for m in self._partitions.values() if m.ages), key=lambda memory: memory.ages[0][0])
            self.evictions += oldest.forget_oldest(excess)
        self._bound_sends()

    def _bound_sends(self) -> None:
        oldest_s = self._clock_s() - self._send_memory_s
        for memory in self._partitions.values():
            memory.oldest_send_s = oldest_s
            memory.sends.forget(oldest_s)
        kept = [memory.sends for memory in self._partitions.values()]
        for _ in range(sum(sends.known_count for sends in kept) - self._sends_max):
            min((sends for sends in kept if sends.known_count), key=attrgetter("oldest_s")).forget_oldest()
            self.send_evictions += 1

    def position(self, topic: str, partition: int) -> int | None:
        """The first offset of an input partition without a committed conclusion, None while it is not ours."""
        memory = self._partitions.get(partition)
        return memory.sends.next_offset(topic) if memory else None

    def person_count(self) -> int:
        """How many persons are remembered."""
        return sum(len(memory.people) for memory in self._partitions.values())

    def event_count(self) -> int:
        """How many fingerprints are remembered."""
        return sum(len(memory.delivered_s) for memory in self._partitions.values())

    def send_count(self) -> int:
        """How many ids of sends are remembered."""
        return sum(len(memory.sends) for memory in self._partitions.values())
