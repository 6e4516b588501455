"""What the verbs need from outside, as the smallest protocols that serve: `streams` has them, tests fake them."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.flood import Flood
from schemas.outcome import Outcome, Reason
from schemas.record import Header, Record
from schemas.send_memory import SendEntry, SendPlace, SendState

Counts = Counter[tuple[Outcome, Reason | None]]


class Memory(Protocol):
    """What is remembered of one partition's persons, events and sends."""

    def person(self, user_id: bytes) -> bytes | None:
        """The packed state of a person, None when nothing was ever delivered for them."""

    def ledger_key(self, user_id: bytes) -> bytes:
        """The key under which a person stands in the ledger: the id, unless it was erased there."""

    def has_event(self, fingerprint: bytes) -> bool:
        """Whether an event of this fingerprint was delivered within the dedupe window."""

    def send_state(self, key: bytes) -> SendState:
        """What is known of a send's id."""

    def has_concluded(self, place: SendPlace) -> bool:
        """Whether the result of the send that stands there is out, although its offset is not committed."""


class Keyed(Protocol):
    """Work that looks up in a memory, and changes there, what its keys name."""

    @property
    def is_replay(self) -> bool:
        """Whether it comes from the replay topic."""

    def keys(self) -> AbstractSet[str | bytes]:
        """The keys; asked for only when somebody else may have the same."""


class Turns(Protocol):
    """Keeps replays and live records apart where they touch the same entries of one partition's memory."""

    def turn(self, chunk: Chunk, work: Keyed) -> AbstractAsyncContextManager[None]:
        """Wait until it is the turn of this work on the chunk, from looking into the memory to having remembered.

        Raises:
            FencedError: what it waited for was given up, so that the memory does not tell what was sent.
        """


class Courier(Protocol):
    """Brings parcels to Customer.io, sharing requests between lanes."""

    async def deliver(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        """Send all, in order, and return their verdicts in that order.

        Waits as long as Customer.io is unavailable; cancelling it cancels the requests that carry these parcels.
        """


class Errand(Protocol):
    """A send on its way: what must be written before it goes out, and afterwards."""

    @property
    def epoch(self) -> int:
        """The assignment that it belongs to; when that is over nothing is begun any more."""

    async def intend(self) -> None:
        """Write that it is about to go out."""

    async def withdraw(self) -> None:
        """Write that it certainly did not, and may be tried again."""

    async def conclude(self, verdict: Verdict) -> None:
        """Write what became of it."""


class Messenger(Protocol):
    """Brings sends to Customer.io, each in a request of its own that is never repeated while it may have gone out."""

    async def send(self, parcel: Parcel, errand: Errand) -> Verdict:
        """The verdict, which has been concluded; waits as long as Customer.io is unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """All that is concluded at once of one chunk, for Kafka, in one transaction with the chunk's next offset.

    `results` and `people` are (key, value); `letters` are (key, value, headers); `events` are fingerprints, `sends` the
    ledger's keys and entries; `traces` are the headers of each result, or of none. What does not move the offset is
    committed with that of the chunk's start; the journal gives each publication its `serial`, by which it is known
    again.
    """

    chunk: Chunk
    results: Sequence[tuple[bytes | None, bytes]]
    letters: Sequence[tuple[bytes | None, bytes | None, Sequence[Header]]]
    people: Sequence[tuple[bytes, bytes]]
    events: Sequence[bytes]
    concluded_s: float
    sends: Sequence[tuple[bytes, SendEntry]] = ()
    traces: Sequence[Sequence[Header]] = ()
    moves: bool = True
    serial: int = field(default=0, compare=False)


class Journal(Protocol):
    """Makes conclusions durable."""

    async def commit(self, publication: Publication) -> None:
        """Return once the publication is committed.

        Raises:
            FencedError: the partition belongs to another worker now, and nothing of this was published.
        """


class FloodGuard(Protocol):
    """Keeps a topic from turning into dead letters."""

    def judge(self, chunk: Chunk, counts: Counts, conclusions: Sequence[Conclusion]) -> Flood | None:
        """None when this may be published, which counts it; else it must not be."""

    async def wait_out(self, flood: Flood, passes: Callable[[Record], Awaitable[bool]], *, floods_before: int) -> None:
        """Return when the chunk is worth another try, from its start.

        That is when an operator says so, or when one of its suspects `passes`: they are tried in turn, after pauses
        that grow, and begin the longer the more floods the chunk was before.
        """


class Ledger(Protocol):
    """The memories of the partitions that this worker owns."""

    def memory(self, partition: int) -> Memory:
        """The memory of an owned partition, restored before its first chunk."""

    def remember(self, publication: Publication) -> None:
        """Take over what was committed."""


class Observer(Protocol):
    """Counts what happened."""

    def concluded(
        self,
        chunk: Chunk,
        counts: Counts,
        conclusions: Sequence[Conclusion],
        now_ms: int,
    ) -> None:
        """A chunk's conclusions are committed, but for those of sends that were before."""

    def sent(self, chunk: Chunk, conclusion: Conclusion, now_ms: int) -> None:
        """The conclusion of one send is committed, before its chunk's."""
