"""The order in which things happen to a chunk: plan, take a turn, send, publish, remember. The only control flow."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any

from agents.plan import MakePlan, Plan, carry_out
from agents.ports import Courier, FloodGuard, Journal, Ledger, Observer, Publication, Turns
from agents.steps.report import iso_utc, letter_headers, result
from schemas.chunk import Chunk
from schemas.flood import Flood
from schemas.record import Record

_OUTCOME_AND_REASON = attrgetter("outcome", "reason")  # a chunk's are counted without a step of Python for each
_OFFSET = attrgetter("record.offset")
RECORDS_AT_A_TIME = 500  # then others on the event loop get their turn: about 10 ms


#: What an agent does with each Faust event, whose value is a chunk: the worker runs the pipeline, bounded and watched.
Handle = Callable[[Any, MakePlan], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Turns a chunk into exactly one committed result for each of its records."""

    courier: Courier
    journal: Journal
    ledger: Ledger
    turns: Turns
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
        floods, passes = 0, partial(self._passes, chunk, make_plan)
        while flood := await self._flood_or_committed(chunk, make_plan):
            await self.guard.wait_out(flood, passes, floods_before=floods)
            floods += 1

    async def _flood_or_committed(self, chunk: Chunk, make_plan: MakePlan) -> Flood | None:
        plan = await _planned(chunk, make_plan)
        async with self.turns.turn(chunk, plan):  # over before a flood is waited out: nobody else is held for it
            await carry_out(plan, self.ledger.memory(chunk.partition), self.courier.deliver)
            counts = Counter(map(_OUTCOME_AND_REASON, plan.conclusions))
            if flood := self.guard.judge(chunk, counts, plan.conclusions):
                return flood
            now_ms = self.clock_ms()
            publication = self._publication(chunk, plan, now_ms)
            await self.journal.commit(publication)
            self.ledger.remember(publication)
        self.observer.concluded(chunk, counts, plan.conclusions, now_ms)
        return None

    async def _passes(self, chunk: Chunk, make_plan: MakePlan, record: Record) -> bool:
        """Whether the record is no dead letter any more; it may be sent, and nothing of it is published."""
        probe = replace(chunk, records=[record])
        plan = await _planned(probe, make_plan)
        async with self.turns.turn(probe, plan):
            await carry_out(plan, self.ledger.memory(chunk.partition), self.courier.deliver)
        return all(each.outcome != "dead" for each in plan.conclusions)

    def _publication(self, chunk: Chunk, plan: Plan, now_ms: int) -> Publication:
        conclusions = plan.conclusions
        assert len(conclusions) == len(chunk.records), "a record has no conclusion, or two"  # noqa: S101 - crash
        dead = sorted((c for c in conclusions if c.outcome == "dead"), key=_OFFSET)  # a person's stay in order
        now = iso_utc(now_ms)
        return Publication(
            chunk=chunk,
            results=[(c.record.key, result(c, now_ms=now_ms, processed_at=now)) for c in conclusions],
            letters=[(c.record.key, c.record.value, letter_headers(c, group=self.group, failed_at=now)) for c in dead],
            people=plan.people(),
            events=plan.events(),
            concluded_s=now_ms / 1000,
        )


async def _planned(chunk: Chunk, make_plan: MakePlan) -> Plan:
    plan = make_plan()
    for first in range(0, len(chunk.records), RECORDS_AT_A_TIME):
        plan.add(chunk.records[first : first + RECORDS_AT_A_TIME])
        await asyncio.sleep(0)
    return plan
