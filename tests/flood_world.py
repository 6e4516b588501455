"""A flood guard whose operators are the test's, and chunks for it of which so many are dead."""

from collections import Counter
from dataclasses import dataclass, field

from agents.ports import Counts
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.flood import Flood
from schemas.outcome import DeadReason
from streams.delivery.flood_guard import FloodGuard
from tests.builders import make_chunk
from tests.fakes import FakeObserver
from tests.unit.input_records import InputRecord

TOPIC = "user-changes"


@dataclass(slots=True)
class FakeResumed:
    """Operators have said what `said` holds; workers know of it from the next look on."""

    said: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    looks: int = 0

    def is_resumed(self, topic: str) -> bool:
        """Whether it is known."""
        return topic in self.known

    async def look(self) -> None:
        """Learn what was said."""
        self.looks += 1
        self.known = set(self.said)

    def close(self) -> None:
        """Nothing is being asked."""


def make_conclusions(
    records: int, dead: int, *, topic: str = TOPIC, reason: DeadReason = "malformed"
) -> list[Conclusion]:
    """So many conclusions of which the last ones are dead."""
    made = [InputRecord(topic=topic, offset=offset) for offset in range(records)]
    good = [Conclusion(record, "delivered") for record in made[: records - dead]]
    return good + [Conclusion(record, "dead", reason, "user.id: is missing") for record in made[records - dead :]]


def chunk_of(conclusions: list[Conclusion]) -> Chunk:
    """The chunk that they conclude."""
    return make_chunk([each.record for each in conclusions])


class FloodWorld:
    """A guard over fakes; `exempt` is never held."""

    def __init__(self) -> None:
        self.resumed, self.observer = FakeResumed(), FakeObserver()
        self.guard = FloodGuard(share_max=0.5, exempt=["exempt"], resumed=self.resumed, observer=self.observer)

    def judge(self, records: int, dead: int, *, topic: str = TOPIC) -> Flood | None:
        """What the guard says of a chunk like that."""
        conclusions = make_conclusions(records, dead, topic=topic)
        counts: Counts = Counter((each.outcome, each.reason) for each in conclusions)
        return self.guard.judge(chunk_of(conclusions), counts, conclusions)

    def flood(self) -> Flood:
        """One that is to be waited out."""
        flood = self.judge(200, 200)
        assert flood
        return flood
