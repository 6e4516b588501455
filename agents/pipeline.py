"""The order in which things happen to a chunk: plan, take a turn, send, publish, remember. The only control flow."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any

from agents.desk import Desk, Outside
from agents.plan import MakePlan, Plan, carry_out
from agents.ports import Counts, FloodGuard, Turns
from agents.publish import publication
from agents.steps.unquoted import unquoted
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.flood import Flood
from schemas.record import Record

_OUTCOME_AND_REASON = attrgetter("outcome", "reason")  # a chunk's are counted without a step of Python for each
RECORDS_AT_A_TIME = 500  # then others on the event loop get their turn: about 10 ms


#: What an agent does with each Faust event, whose value is a chunk: the worker runs the pipeline, bounded and watched.
Handle = Callable[[Any, MakePlan], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Turns a chunk into exactly one committed result for each of its records."""

    outside: Outside
    turns: Turns
    guard: FloodGuard

    async def process(self, chunk: Chunk, make_plan: MakePlan) -> None:
        """Return once every record of the chunk is concluded and committed.

        While that would be a flood of dead letters nothing is published; afterwards the chunk is worked on again from
        its start, and what was accepted of it is sent again.

        Raises:
            FencedError: the partition was taken away; the chunk is delivered again to its new owner.
        """
        for part in _parts(chunk, make_plan().records_max):
            floods, passes = 0, partial(self._passes, part, make_plan)
            while flood := await self._flood_or_committed(part, make_plan):
                await self.guard.wait_out(flood, passes, floods_before=floods)
                floods += 1

    async def _flood_or_committed(self, chunk: Chunk, make_plan: MakePlan) -> Flood | None:
        plan, desk = await _planned(chunk, make_plan), Desk(chunk, self.outside)
        async with self.turns.turn(chunk, plan):  # over before a flood is waited out: nobody else is held for it
            await carry_out(plan, self.outside.ledger.memory(chunk.partition), desk.deliver)
            conclusions = _unquoted(plan.conclusions)
            told = len(conclusions) + plan.passed_over
            assert told == len(chunk.records), "a record has no conclusion, or two"  # noqa: S101 - crash
            judged = _without(conclusions, lambda each: each.outcome == "dead" and desk.has_concluded(each), desk)
            if judged and (flood := self.guard.judge(chunk, _counts(judged), judged)):
                return flood
            await self._commit(chunk, plan, _without(conclusions, desk.has_concluded, desk), desk)
        return None

    async def _commit(self, chunk: Chunk, plan: Plan, left: Sequence[Conclusion], desk: Desk) -> None:
        outside, now_ms = self.outside, self.outside.clock_ms()
        committed = publication(
            chunk,
            left,
            group=outside.group,
            now_ms=now_ms,
            is_traced=outside.is_traced,
            people=plan.people(),
            events=plan.events(),
            sends=[(key, entry) for offset, key, entry in plan.sends() if offset not in desk.concluded],
        )
        await outside.journal.commit(committed)
        outside.ledger.remember(committed)
        outside.observer.concluded(chunk, _counts(left), left, now_ms)

    async def _passes(self, chunk: Chunk, make_plan: MakePlan, record: Record) -> bool:
        """Whether the record is no dead letter any more; it may be sent, and of a send that went out the result is."""
        probe = replace(chunk, records=[record])
        plan = await _planned(probe, make_plan)
        async with self.turns.turn(probe, plan):
            deliver = Desk(probe, self.outside).deliver
            await carry_out(plan, self.outside.ledger.memory(chunk.partition), deliver)
        return all(each.outcome != "dead" for each in plan.conclusions)


def _unquoted(conclusions: Sequence[Conclusion]) -> Sequence[Conclusion]:
    """What Customer.io has refused, without what it quotes; all others as they are."""
    return [
        each._replace(detail=unquoted(each.detail, each.record.value))
        if each.reason == "rejected" and each.detail
        else each
        for each in conclusions
    ]


def _without(
    conclusions: Sequence[Conclusion], is_out: Callable[[Conclusion], bool], desk: Desk
) -> Sequence[Conclusion]:
    """Those that are not out yet; where nothing was sent that is all of them, without looking at each."""
    return [each for each in conclusions if not is_out(each)] if desk.concluded else conclusions


def _counts(conclusions: Sequence[Conclusion]) -> Counts:
    return Counter(map(_OUTCOME_AND_REASON, conclusions))


def _parts(chunk: Chunk, records_max: int | None) -> Iterator[Chunk]:
    """The chunk whole, or cut into chunks that meet."""
    start = chunk.start
    size = records_max or len(chunk.records)
    for first in range(0, len(chunk.records), size):
        part = replace(chunk, start=start, records=chunk.records[first : first + size])
        yield part
        start = part.next_offset


async def _planned(chunk: Chunk, make_plan: MakePlan) -> Plan:
    plan = make_plan()
    for first in range(0, len(chunk.records), RECORDS_AT_A_TIME):
        plan.add(chunk.records[first : first + RECORDS_AT_A_TIME])
        await asyncio.sleep(0)
    return plan
