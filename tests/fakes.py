"""Hand-written stand-ins for what lies outside the code under test.

A fake decides as little as it can; tests/contract holds those that imitate something against the real thing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.ports import Errand, Publication
from schemas.answer import Answer, NoAnswer
from schemas.chunk import Chunk, Membership
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.errors import FencedError
from schemas.outcome import Outcome, Reason
from schemas.send_memory import SendPlace, SendState
from streams.delivery.sends_memory import SendsMemory
from tests.builders import MEMBERSHIP, Decide, verdict_on


@dataclass(slots=True)
class FakeMemory:
    """What is remembered, as a test puts it there."""

    people: dict[bytes, bytes] = field(default_factory=dict)
    fingerprints: set[bytes] = field(default_factory=set)
    sends: SendsMemory = field(default_factory=SendsMemory, compare=False)

    def person(self, user_id: bytes) -> bytes | None:
        """The packed state of a person."""
        return self.people.get(user_id)

    def ledger_key(self, user_id: bytes) -> bytes:
        """Nobody is erased here."""
        return user_id

    def has_event(self, fingerprint: bytes) -> bool:
        """Whether the event was delivered."""
        return fingerprint in self.fingerprints

    def send_state(self, key: bytes) -> SendState:
        """What is known of a send's id."""
        return self.sends.state(key, oldest_s=0)

    def has_concluded(self, place: SendPlace) -> bool:
        """Whether the result of the send that stands there is out."""
        return self.sends.has_concluded(place)


@dataclass(slots=True)
class FakeLedger:
    """One memory for all partitions; keeps what it was told to remember."""

    kept: FakeMemory = field(default_factory=FakeMemory)
    remembered: list[Publication] = field(default_factory=list)

    def memory(self, partition: int) -> FakeMemory:  # noqa: ARG002 - the port's signature
        """The one memory."""
        return self.kept

    def remember(self, publication: Publication) -> None:
        """Take over what was committed."""
        self.remembered.append(publication)
        self.kept.people.update(publication.people)
        self.kept.fingerprints.update(publication.events)
        for key, entry in publication.sends:
            self.kept.sends.take(key, entry, publication.concluded_s)
        if publication.moves:
            self.kept.sends.moved(publication.chunk.topic, publication.chunk.next_offset)


def accept(parcel: Parcel) -> bool:  # noqa: ARG001 - the shape of a decision
    """Accept whatever it is."""
    return True


@dataclass(slots=True)
class FakeCourier:
    """Accepts or refuses each parcel as `decides` says, and keeps every wave."""

    decides: Decide = accept
    waves: list[list[Parcel]] = field(default_factory=list)

    async def deliver(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        """One verdict for each parcel."""
        self.waves.append(list(parcels))
        return [verdict_on(accepted=self.decides(parcel)) for parcel in parcels]


@dataclass(slots=True)
class FakeMessenger:
    """Gives each send the verdict that `answers` says, in the order of its errand; keeps what went out."""

    answers: Callable[[Parcel], Verdict] = lambda _: Verdict(accepted=True, status=200, attempts=1, delivery_id="d-1")
    sent: list[Parcel] = field(default_factory=list)

    async def send(self, parcel: Parcel, errand: Errand) -> Verdict:
        """Intend, send, conclude."""
        await errand.intend()
        self.sent.append(parcel)
        await asyncio.sleep(0)
        verdict = self.answers(parcel)
        await errand.conclude(verdict)
        return verdict


@dataclass(slots=True)
class FakeJournal:
    """Commits at once, or raises `error`."""

    error: Exception | None = None
    published: list[Publication] = field(default_factory=list)

    async def commit(self, publication: Publication) -> None:
        """Keep the publication."""
        if self.error:
            raise self.error
        self.published.append(publication)


@dataclass(slots=True)
class FakeObserver:
    """Keeps what it is told, of pipeline and sender."""

    counts: Counter[tuple[Outcome, Reason | None]] = field(default_factory=Counter)
    requests: list[tuple[str, int, int]] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)
    holds: list[tuple[str, str]] = field(default_factory=list)
    floods: list[tuple[str, str]] = field(default_factory=list)

    def concluded(
        self,
        chunk: Chunk,  # noqa: ARG002 - the port's signature, here and below
        counts: Counter[tuple[Outcome, Reason | None]],
        conclusions: Sequence[Conclusion],  # noqa: ARG002
        now_ms: int,  # noqa: ARG002
    ) -> None:
        """Add the counts up."""
        self.counts += counts

    def sent(self, chunk: Chunk, conclusion: Conclusion, now_ms: int) -> None:  # noqa: ARG002 - as above
        """Count it."""
        self.counts[conclusion.outcome, conclusion.reason] += 1

    def request(self, api: str, response: Answer | NoAnswer, *, seconds: float, items: int, body_bytes: int) -> None:  # noqa: ARG002
        """Keep status or cause, items and bytes."""
        status = str(response.status) if isinstance(response, Answer) else response.cause
        self.requests.append((status, items, body_bytes))

    def retry(self, api: str, cause: str) -> None:  # noqa: ARG002
        """Keep the cause."""
        self.retries.append(cause)

    def held(self, api: str, reason: str) -> None:
        """Keep why."""
        self.holds.append((api, reason))

    def flooded(self, topic: str, reason: str) -> None:
        """Keep of what."""
        self.floods.append((topic, reason))


@dataclass(slots=True)
class FakeWriter:
    """A journal's writer with a Kafka of its own: `generation` fences, `failures` are raised first, one a call."""

    generation: int = MEMBERSHIP.generation
    failures: list[Exception] = field(default_factory=list)
    calls: list[tuple[list[Publication], Membership]] = field(default_factory=list)
    results: list[tuple[bytes | None, bytes]] = field(default_factory=list)
    committed: dict[tuple[str, int], int] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None

    def write(self, publications: Sequence[Publication], membership: Membership) -> None:
        """Commit all, or raise and commit nothing."""
        self.before()
        self.calls.append((list(publications), membership))
        if self.failures:
            raise self.failures.pop(0)
        if membership.generation != self.generation:
            raise FencedError("Broker: Specified group generation id is not valid")
        for publication in publications:
            self.results += publication.results
            chunk = publication.chunk
            self.committed[chunk.topic, chunk.partition] = chunk.next_offset if publication.moves else chunk.start


@dataclass(slots=True)
class FakeSender:
    """Answers batches when `gate` is open; keeps what it was sent and what was cancelled.

    Until then its tasks wait for the rate, or where `puts` has it: `on_wire` or `waiting`.
    """

    decides: Decide = accept
    error: Exception | None = None
    is_held: bool = False
    on_wire: set[asyncio.Task[Any]] = field(default_factory=set)
    waiting: set[asyncio.Task[Any]] = field(default_factory=set)
    puts: set[asyncio.Task[Any]] = field(default_factory=set)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[list[Parcel]] = field(default_factory=list)
    singles: list[Parcel] = field(default_factory=list)
    cancelled: int = 0

    async def send_batch(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        """One verdict for each parcel, once the gate is open."""
        self.batches.append(list(parcels))
        await self._pass_gate()
        return [verdict_on(accepted=self.decides(parcel)) for parcel in parcels]

    async def send_anonymous(self, parcel: Parcel) -> Verdict:
        """The verdict on one, once the gate is open."""
        self.singles.append(parcel)
        await self._pass_gate()
        return verdict_on(accepted=self.decides(parcel))

    async def _pass_gate(self) -> None:
        task, place = asyncio.current_task(), self.puts
        assert task
        place.add(task)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            place.discard(task)
        if self.error:
            raise self.error


Response = Answer | NoAnswer
OK = Answer(200, b"{}\n")
Answers = Callable[[str, bytes], Response]


@dataclass(slots=True)
class FakeClient:
    """Track endpoints that answer from `script`, then by `answers`, each after `latency_s`.

    `calls` are (endpoint, body), `times` the loop's seconds at which each was sent.
    """

    script: list[Response] = field(default_factory=list)
    answers: Answers = lambda _endpoint, _body: OK
    latency_s: float = 0.0
    calls: list[tuple[str, bytes]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def batch(self, body: bytes) -> Response:
        """`POST /api/v2/batch`."""
        return await self._answer("batch", body)

    async def entity(self, body: bytes) -> Response:
        """`POST /api/v2/entity`."""
        return await self._answer("entity", body)

    async def anonymous_event(self, body: bytes) -> Response:
        """`POST /api/v1/events`."""
        return await self._answer("events", body)

    async def region(self) -> Response:
        """`GET /api/v1/accounts/region`."""
        return await self._answer("region", b"")

    async def _answer(self, endpoint: str, body: bytes) -> Response:
        self.calls.append((endpoint, body))
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.latency_s)
        return self.script.pop(0) if self.script else self.answers(endpoint, body)


def _opened() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True)
class FakeLimiter:
    """Lets everything through while its gate is open, after `wait_s`, and counts it."""

    acquired: int = 0
    wait_s: float = 0.0
    gate: asyncio.Event = field(default_factory=_opened)

    async def acquire(self) -> None:
        """Count."""
        await self.gate.wait()
        if self.wait_s:
            await asyncio.sleep(self.wait_s)
        self.acquired += 1
