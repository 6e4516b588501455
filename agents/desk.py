"""The desk of one chunk: its parcels go to the courier, its sends to the messenger, who are many at a time.

What becomes of a send is committed at once, so that a crash costs at most those that were on their way.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agents.plans.sends import concluded_entry, known_after
from agents.ports import Courier, Journal, Ledger, Messenger, Observer, Publication
from agents.publish import publication
from agents.steps.conclude_send import conclude_sent
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.errors import FencedError
from schemas.send_memory import Known, SendEntry, Step
from schemas.translated import Send

SEND_CONCURRENCY: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Whom a desk works with; `send_concurrency` sends of one chunk are under way at once.

    Where it `is_traced` results take over the traces of their records.
    """

    courier: Courier
    messenger: Messenger
    journal: Journal
    ledger: Ledger
    observer: Observer
    clock_ms: Callable[[], int]
    group: str
    send_concurrency: int = SEND_CONCURRENCY
    is_traced: bool = False


class Desk:
    """`concluded` are the offsets of the sends whose results are out already."""

    def __init__(self, chunk: Chunk, outside: Outside) -> None:
        self.concluded: set[int] = set()
        self._chunk = chunk
        self._outside = outside
        self._turns = asyncio.Semaphore(outside.send_concurrency)

    async def deliver(self, parcels: Sequence[Parcel]) -> Sequence[Verdict]:
        """One verdict for each, in their order."""
        sends = [parcel for parcel in parcels if parcel.send]
        if not sends:
            return await self._outside.courier.deliver(parcels)
        others = [parcel for parcel in parcels if not parcel.send]
        delivered, *sent = await _together(self._courier(others), *(self._send(parcel) for parcel in sends))
        tracked, singly = iter(delivered), (verdict for verdicts in sent for verdict in verdicts)
        return [next(singly if parcel.send else tracked) for parcel in parcels]

    async def _courier(self, parcels: Sequence[Parcel]) -> Sequence[Verdict]:
        return await self._outside.courier.deliver(parcels) if parcels else []

    async def _send(self, parcel: Parcel) -> Sequence[Verdict]:
        assert parcel.send is not None  # noqa: S101 - only those come here
        async with self._turns:
            return [await self._outside.messenger.send(parcel, SendErrand(self, parcel.send))]

    def has_concluded(self, conclusion: Conclusion) -> bool:
        """Whether its result is out already."""
        return conclusion.record.offset in self.concluded

    @property
    def epoch(self) -> int:
        """The assignment that the chunk came with."""
        return self._chunk.epoch

    def known(self, send: Send) -> Known | None:
        """What is known of its id."""
        return self._outside.ledger.memory(self._chunk.partition).send_state(send.key).known

    async def note(self, send: Send, step: Step, known: Known | None) -> None:
        """Write a step of a send that has no result yet."""
        entry = SendEntry(step, send.kind, send.place, known)
        await self._commit(self._publication((), send, entry))

    async def conclude(self, send: Send, verdict: Verdict, known: Known | None) -> None:
        """Write the result of a send."""
        conclusion = conclude_sent(send, verdict)
        entry = concluded_entry(send, conclusion, known_after(conclusion, known))
        now_ms = self._outside.clock_ms()
        await self._commit(self._publication((conclusion,), send, entry))
        self.concluded.add(send.record.offset)
        self._outside.observer.sent(self._chunk, conclusion, now_ms)

    def _publication(self, conclusions: Sequence[Conclusion], send: Send, entry: SendEntry) -> Publication:
        sends = [(send.send_id.encode(), entry)]
        outside = self._outside
        return publication(
            self._chunk,
            conclusions,
            group=outside.group,
            now_ms=outside.clock_ms(),
            is_traced=outside.is_traced,
            sends=sends,
            moves=False,
        )

    async def _commit(self, committed: Publication) -> None:
        await self._outside.journal.commit(committed)
        self._outside.ledger.remember(committed)


class SendErrand:
    """One send of a desk: what was known of its id before it goes out is what is known again if it does not."""

    def __init__(self, desk: Desk, send: Send) -> None:
        self._desk = desk
        self._send = send
        self._known = desk.known(send)

    @property
    def epoch(self) -> int:
        """The assignment that it belongs to."""
        return self._desk.epoch

    async def intend(self) -> None:
        """Write that it is about to go out."""
        await self._desk.note(self._send, "intent", self._known)

    async def withdraw(self) -> None:
        """Write that it did not."""
        await self._desk.note(self._send, "withdrawn", self._known)

    async def conclude(self, verdict: Verdict) -> None:
        """Write the result; that of a refusal waits for the chunk's, for nothing went out: it may be tried again."""
        if verdict.accepted or verdict.reason == "ambiguous_send":
            await self._desk.conclude(self._send, verdict, self._known)
        else:
            await self.withdraw()


async def _together(*works: Coroutine[Any, Any, Sequence[Verdict]]) -> list[Sequence[Verdict]]:
    """All of them, or the first fault of any, once the others are cancelled; being fenced goes before the rest."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as faults:
        fenced = faults.subgroup(FencedError)
        raise (fenced or faults).exceptions[0] from None
    return [task.result() for task in tasks]
