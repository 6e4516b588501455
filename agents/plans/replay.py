"""The plan for a chunk of replays: each record goes to the plan of the topic where it was first, and is judged there.

So a replay is no second way through the code. It knows what a replay must tell of itself, and nothing of sending.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from agents.plans.remembering import Remembering
from agents.plans.replay_stages import PLANS, Stage, Stages
from agents.plans.user_changes import conclude_unsendable
from agents.ports import Memory
from agents.steps.malformed import malformed
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.record import Record
from schemas.replayed import first_place
from schemas.send_memory import SendEntry


class ReplayPlan:
    """Stage after stage, so that no verdict on an event or a send depends on where the chunk begins or ends."""

    is_replay = True
    records_max: int | None = None
    _memory: Remembering

    def __init__(self) -> None:
        self._order = Stages()
        self._stages: list[Stage] = []
        self._ahead: Iterator[Stage] = iter(())
        self._stage: Stage | None = None
        self._strays: list[Conclusion] = []

    @property
    def conclusions(self) -> Sequence[Conclusion]:
        """What became of the records so far, in no order."""
        return [*self._strays, *(conclusion for stage in self._stages for conclusion in stage.conclusions)]

    @property
    def passed_over(self) -> int:
        """How many records had their result before."""
        return sum(stage.passed_over for stage in self._stages)

    def add(self, records: Iterable[Record]) -> None:
        """Take records in offset order; those of which nobody knows where they belong are concluded at once."""
        for record in records:
            topic, fault = _first_topic(record)
            if topic is None:
                self._strays.append(conclude_unsendable(malformed(record, fault)))
                continue
            stage = self._order.stage_of(record, topic)
            while len(self._stages) <= stage:
                self._stages.append(Stage())
            self._stages[stage].add(record, topic)

    def keys(self) -> AbstractSet[str | bytes]:
        """Those of all."""
        return frozenset[str | bytes]().union(*(plan.keys() for stage in self._stages for plan in stage.plans))

    def recall(self, memory: Memory) -> None:
        """Take up what was delivered before, and stage by stage what is delivered now."""
        self._memory = Remembering(memory)
        self._ahead = iter(self._stages)
        self._begin_next()

    def _begin_next(self) -> None:
        self._stage = next(self._ahead, None)
        if self._stage:
            self._stage.recall(self._memory)

    def next_wave(self) -> list[Parcel]:
        """The parcels that may go now; empty when every record is concluded."""
        while self._stage:
            if wave := self._stage.next_wave():
                return wave
            self._memory.learn(self._stage.people(), self._stage.events(), self._stage.sends())
            self._begin_next()
        return []

    def settle(self, verdicts: Sequence[Verdict]) -> None:
        """Take the verdicts on the last wave, in its order."""
        assert self._stage, "there was no wave"  # noqa: S101 - crash
        self._stage.settle(verdicts)

    def people(self) -> list[tuple[bytes, bytes]]:
        """The persons whose state has changed: ledger key and value."""
        return list(self._memory.people.items())

    def events(self) -> list[bytes]:
        """The fingerprints of events that have been delivered."""
        return list(self._memory.events)

    def sends(self) -> list[tuple[int, bytes, SendEntry]]:
        """What is to be remembered of sends: the record's offset, the ledger's key and its entry."""
        return [entry for stage in self._stages for entry in stage.sends()]


def _first_topic(record: Record) -> tuple[str | None, str]:
    """The short name of the topic that it was on at first, or None and why that is not known."""
    origin = first_place(record)
    if origin is None:
        return None, "headers: __dlq.errors.topic, partition and offset must say where the record was first"
    if origin.partition != record.partition:
        return None, "headers: a replay must be on the partition where the record was first"
    topic = next((name for name in PLANS if origin.topic.endswith(name)), None)
    return topic, "headers: __dlq.errors.topic must name a topic that is delivered from"
