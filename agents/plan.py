"""What a plan is, and how one is carried out: by the pipeline, and by a rehearsal whose verdicts must be the same."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from agents.ports import Memory
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.record import Record
from schemas.send_memory import SendEntry

Deliver = Callable[[Sequence[Parcel]], Awaitable[Sequence[Verdict]]]


class Plan(Protocol):
    """What is to be sent for one chunk, in waves, and what became of each of its records."""

    @property
    def is_replay(self) -> bool:
        """Whether its records have been here before, so that it may touch what the live topics touch."""

    @property
    def records_max(self) -> int | None:
        """How many records of a chunk are planned and committed together; None for all."""

    @property
    def passed_over(self) -> int:
        """How many records had their result before, and get none now."""

    @property
    def conclusions(self) -> Sequence[Conclusion]:
        """What became of the records so far, in no order."""

    def add(self, records: Iterable[Record]) -> None:
        """Take records in offset order and translate them; what is at fault by itself is concluded at once."""

    def keys(self) -> AbstractSet[str | bytes]:
        """What it will look up in the memory and change there: persons, fingerprints of events, ids of sends."""

    def recall(self, memory: Memory) -> None:
        """Take up what was delivered before; once, after all records were added."""

    def next_wave(self) -> list[Parcel]:
        """The parcels that may go now; empty when every record is concluded."""

    def settle(self, verdicts: Sequence[Verdict]) -> None:
        """Take the verdicts on the last wave, in its order."""

    def people(self) -> list[tuple[bytes, bytes]]:
        """The persons whose state has changed: ledger key and value."""

    def events(self) -> list[bytes]:
        """The fingerprints of events that have been delivered."""

    def sends(self) -> list[tuple[int, bytes, SendEntry]]:
        """What is to be remembered of sends: the record's offset, the ledger's key and its entry."""


MakePlan = Callable[[], Plan]


async def carry_out(plan: Plan, memory: Memory, deliver: Deliver) -> None:
    """Bring a plan to its end: every record that was added is concluded, or was before.

    The memory is read, and changed by others.
    """
    plan.recall(memory)
    while parcels := plan.next_wave():
        plan.settle(await deliver(parcels))
