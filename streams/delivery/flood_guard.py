"""The flood guard: holds a lane whose topic turns into dead letters, until a person or a probe says that it may go on.

What counts as a flood is decided in `agents/steps/dead_shares.py`, from what this worker alone has seen.
"""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from agents.ports import Counts
from agents.steps.dead_shares import DeadShares
from agents.steps.unquoted import unquoted
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion
from schemas.flood import Flood
from schemas.record import Record
from streams.progress import Progress, touch, worked_for

PROBE_S = 1.0  # the pause before the first probe, doubled each time …
PROBE_S_MAX = 30.0  # … up to this
LOOK_S = 5.0  # so soon a lane that is held hears of an operator's word

log = structlog.get_logger()

Passes = Callable[[Record], Awaitable[bool]]


class Resumed(Protocol):
    """Which topics' dead letters an operator lets through, as far as is known here."""

    def is_resumed(self, topic: str) -> bool:
        """Whether this topic's (full name) may be written now."""

    async def look(self) -> None:
        """Ask what operators have said; returns in bounded time, also when nobody answers."""

    def close(self) -> None:
        """Give up what is still being asked."""


class Observer(Protocol):
    """Counts floods."""

    def flooded(self, topic: str, reason: str) -> None:
        """A lane is held."""


@dataclass(slots=True, eq=False)
class _Hold:
    flood: Flood
    lanes: Sequence[Progress]
    is_probing: bool = False


class FloodGuard:
    """One for all lanes of a worker; topics that are `exempt` (full names) are never held."""

    def __init__(self, *, share_max: float, exempt: Collection[str], resumed: Resumed, observer: Observer) -> None:
        self._shares = DeadShares(share_max)
        self._exempt = exempt
        self._resumed = resumed
        self._observer = observer
        self._holds: list[_Hold] = []

    def judge(self, chunk: Chunk, counts: Counts, conclusions: Sequence[Conclusion]) -> Flood | None:
        """None when this may be published, which counts it, whether it is committed in the end or not."""
        dead = sum(count for (outcome, _), count in counts.items() if outcome == "dead")
        flood = self._shares.flood_of(chunk, conclusions, dead=dead) if dead else None
        if flood and chunk.topic not in self._exempt and not self._resumed.is_resumed(chunk.topic):
            return flood
        self._shares.count(chunk.topic, records=len(conclusions), dead=dead)
        return None

    async def wait_out(self, flood: Flood, passes: Passes, *, floods_before: int = 0) -> None:
        """Hold the lane until its topic is resumed, or one of the suspects `passes`."""
        hold = _Hold(flood, worked_for())
        self._holds.append(hold)
        touch("held: a flood of dead letters")
        try:
            await self._resumed.look()  # it may have been said to another worker, or before a restart
            if self._resumed.is_resumed(flood.topic):
                return
            self._tell(flood)
            why = await self._hold(hold, passes, floods_before)
        finally:
            self._holds.remove(hold)
        log.info("goes on after a flood of dead letters", topic=flood.topic, partition=flood.partition, why=why)

    async def _hold(self, hold: _Hold, passes: Passes, floods_before: int) -> str:
        suspects, probes = hold.flood.suspects, floods_before
        while True:
            if await self._is_resumed_within(hold.flood.topic, pause_s(probes)):
                return "an operator has resumed the topic"
            if await self._probe(hold, passes, suspects[probes % len(suspects)]):
                self._shares.forget(hold.flood.topic)
                return "a probe was no dead letter any more"
            probes += 1

    async def _is_resumed_within(self, topic: str, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (rest_s := until - loop.time()) > 0:
            await asyncio.sleep(min(rest_s, LOOK_S))
            await self._resumed.look()
            if self._resumed.is_resumed(topic):
                return True
        return False

    async def _probe(self, hold: _Hold, passes: Passes, suspect: Record) -> bool:
        hold.is_probing = True  # what is on the wire is not held: its lane is watched, and drained, as any other
        try:
            return await passes(suspect)
        finally:
            hold.is_probing = False
            touch("held: a flood of dead letters", hold.lanes)

    def _tell(self, flood: Flood) -> None:
        self._observer.flooded(flood.topic, flood.reason or "")
        place = flood.example.record
        log.warning(
            "held: a flood of dead letters",
            topic=flood.topic,
            partition=flood.partition,
            share=round(flood.dead / flood.records, 3),
            records=flood.records,
            reason=flood.reason,
            example=f"{place.topic}/{place.partition}/{place.offset}",
            detail=without_addresses(unquoted(flood.example.detail or "", place.value)),
            advice=f"mend what they die of, or let them through: cio-streams dlq resume {flood.topic}",
        )

    def held(self) -> set[Progress]:
        """The lanes that wait here: nothing of them is under way, and nobody knows for how long."""
        return {lane for hold in self._holds if not hold.is_probing for lane in hold.lanes}

    def close(self) -> None:
        """Give up what is still being asked."""
        self._resumed.close()

    def held_by_reason(self) -> Counter[tuple[str, str]]:
        """How many partitions are held, by topic and reason."""
        return Counter((hold.flood.topic, hold.flood.reason or "") for hold in self._holds)

    def told(self) -> dict[str, dict[str, object]]:
        """The topics that are held, each with a reason and its partitions, as `/readyz` has it."""
        partitions: defaultdict[str, list[int]] = defaultdict(list)
        for hold in self._holds:
            partitions[hold.flood.topic].append(hold.flood.partition)
        reasons = {hold.flood.topic: hold.flood.reason for hold in self._holds}
        return {topic: {"reason": reasons[topic], "partitions": sorted(held)} for topic, held in partitions.items()}


def pause_s(probes: int) -> float:
    """How long to wait before the next probe after so many."""
    return min(PROBE_S * 2.0 ** min(probes, 10), PROBE_S_MAX)


def without_addresses(detail: str) -> str:
    """A detail as a log may have it: what Customer.io says is its own, and might quote an e-mail address."""
    return re.sub(r"(?<!\S)\S+@\S+", "***", detail)
