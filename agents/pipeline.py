"""The order in which things happen to a chunk: plan, send wave by wave, publish, remember. The only control flow."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Protocol

from agents.ports import Courier, FloodGuard, Journal, Ledger, Memory, Observer, Publication
from agents.steps.report import iso_utc, letter_headers, result
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.flood import Flood
from schemas.record import Record

_OUTCOME_AND_REASON = attrgetter("outcome", "reason")  # a chunk's are counted without a step of Python for each
RECORDS_AT_A_TIME = 500  # then others on the event loop get their turn: about 10 ms


class Plan(Protocol):
    """What is to be sent for one chunk, in waves, and what became of each of its records."""

    conclusions: list[Conclusion]

    def add(self, records: Iterable[Record]) -> None: ...  # noqa: D102
    def next_wave(self) -> list[Parcel]: ...  # noqa: D102
    def settle(self, verdicts: Sequence[Verdict]) -> None: ...  # noqa: D102
    def people(self) -> list[tuple[bytes, bytes]]: ...  # noqa: D102
    def events(self) -> list[bytes]: ...  # noqa: D102


MakePlan = Callable[[Memory], Plan]
#: What an agent does with each Faust event, whose value is a chunk: the worker runs the pipeline, bounded and watched.
Handle = Callable[[Any, MakePlan], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Turns a chunk into exactly one committed result for each of its records."""

    courier: Courier
    journal: Journal
    ledger: Ledger
    guard: FloodGuard
    observer: Observer
    clock_ms: Callable[[], int]
    group: str

    async def process(self, chunk: Chunk, make_plan: MakePlan) -> None:
        """Return once every record of the chunk is concluded and committed.

        While that would be a flood of dead letters nothing is published; afterwards the chunk is worked on again from
        its start, and what was accepted of it is sent again.

        Raises:
            FencedError: the partition was taken away; the chunk is delivered again to its new owner.
        """
        floods, passes = 0, partial(self._passes, make_plan)
        while flood := await self._flood_or_committed(chunk, make_plan):
            await self.guard.wait_out(flood, passes, floods_before=floods)
            floods += 1

    async def _flood_or_committed(self, chunk: Chunk, make_plan: MakePlan) -> Flood | None:
        plan = await self._carried_out(chunk.partition, chunk.records, make_plan)
        counts = Counter(map(_OUTCOME_AND_REASON, plan.conclusions))
        if flood := self.guard.judge(chunk, counts, plan.conclusions):
            return flood
        now_ms = self.clock_ms()
        publication = self._publication(chunk, plan, now_ms)
        await self.journal.commit(publication)
        self.ledger.remember(publication)
        self.observer.concluded(chunk, counts, plan.conclusions, now_ms)
        return None

    async def _passes(self, make_plan: MakePlan, record: Record) -> bool:
        """Whether the record is no dead letter any more; it may be sent, and nothing of it is published."""
        plan = await self._carried_out(record.partition, [record], make_plan)
        return all(each.outcome != "dead" for each in plan.conclusions)

    async def _carried_out(self, partition: int, records: Sequence[Record], make_plan: MakePlan) -> Plan:
        plan = make_plan(self.ledger.memory(partition))
        for first in range(0, len(records), RECORDS_AT_A_TIME):
            plan.add(records[first : first + RECORDS_AT_A_TIME])
            await asyncio.sleep(0)
        while parcels := plan.next_wave():
            plan.settle(await self.courier.deliver(parcels))
        return plan

    def _publication(self, chunk: Chunk, plan: Plan, now_ms: int) -> Publication:
        assert len(plan.conclusions) == len(chunk.records), "a record has no conclusion, or two"  # noqa: S101 - crash
        now = iso_utc(now_ms)
        return Publication(
            chunk=chunk,
            results=[(c.record.key, result(c, now_ms=now_ms, processed_at=now)) for c in plan.conclusions],
            letters=[
                (c.record.key, c.record.value, letter_headers(c, group=self.group, failed_at=now))
                for c in plan.conclusions
                if c.outcome == "dead"
            ],
            people=plan.people(),
            events=plan.events(),
            concluded_s=now_ms / 1000,
        )
