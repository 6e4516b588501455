"""One run of one seed: publish, make trouble, let it drain, end everything, and look at what is left behind."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from agents.steps import pack
from streams.customerio.evidence import REGION_S_MAX
from tests.faults.publisher import Published
from tests.simulation import invariants
from tests.simulation.customerio import CustomerIo
from tests.simulation.fleet import Fleet
from tests.simulation.group import Group
from tests.simulation.kafka import REPLAYS, Broker
from tests.simulation.loop import simulate
from tests.simulation.replays import record_of, replay
from tests.simulation.script import BASE_S, Script, write_script
from tests.simulation.story import Story
from tests.simulation.traces import Traces

DRAINED_S_MAX = 300.0
NO_WITNESS_S_MAX = 2 * REGION_S_MAX  # the region may convict a few lonely records, each after twice as long
POLL_S = 1.0
VIOLATIONS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run has shown; `drained_s` is how long it took to conclude everything when all faults were over."""

    seed: int
    violations: list[str]
    weaknesses: list[str]
    story: Story
    drained_s: float
    took_s: float
    requests: int

    def told(self) -> str:
        """What a person needs in order to see why it failed, and to run it again."""
        shown = self.violations[:VIOLATIONS_SHOWN]
        left = len(self.violations) - len(shown)
        return "\n".join(
            [
                f"seed {self.seed} fails; all of its story: python -m tests.simulation --seed {self.seed}",
                *(str(line) for line in self.story.plot()),
                *(f"VIOLATED {text}" for text in shown),
                *(f"known: {text}" for text in self.weaknesses[:VIOLATIONS_SHOWN]),
                *([f"… and {left} more"] if left else []),
            ]
        )


def run(seed: int) -> Report:
    """Run once."""
    return simulate(_run(write_script(seed), time.perf_counter()))


async def _run(script: Script, started: float) -> Report:
    story = Story(asyncio.get_running_loop().time())
    broker = Broker(
        Group(script.partitions, story.tell),
        random.Random(f"{script.seed} Kafka"),
        lambda: BASE_S + story.now_s(),
        trouble=script.kafka_trouble,
    )
    customerio = CustomerIo(script.weather, random.Random(f"{script.seed} Customer.io"), broker.now_s, story.now_s)
    fleet = Fleet(script, story, broker, customerio)
    with story.listening(), _batches_up_to(script.batch_bytes_max):
        _schedule(script, story, fleet, broker)
        replaying = [asyncio.create_task(replay(each, broker)) for each in _replays(script)]
        await asyncio.sleep(script.ends_s)
        fleet.recover()
        drained_s, left = await _drain(broker, story, replaying)
        await fleet.stop_all()
    traces = Traces(
        script=script, broker=broker, customerio=customerio, born={each.name: each.since_s for each in fleet.workers}
    )
    for entry in traces.sandbox.log:
        story.note(f"Customer.io applied {entry}")
    found = [*fleet.violations, *(_waits(traces, left, drained_s) or invariants.check(traces))]
    return Report(
        seed=script.seed,
        violations=[text for text in found if text.partition(":")[0] not in invariants.WEAKNESSES],
        weaknesses=[text for text in found if text.partition(":")[0] in invariants.WEAKNESSES],
        story=story,
        drained_s=drained_s,
        took_s=time.perf_counter() - started,
        requests=len(customerio.departures),
    )


def _schedule(script: Script, story: Story, fleet: Fleet, broker: Broker) -> None:
    loop, chance = asyncio.get_running_loop(), random.Random(f"{script.seed} start")
    live = [each for each in script.records if each[1].place.topic != REPLAYS]
    for at_s, records in groupby(live, key=lambda each: each[0]):  # timers of one moment keep no order
        loop.call_later(at_s, broker.publish, [record_of(published) for _, published in records])
    for spell in script.weather.spells:
        loop.call_later(spell.since_s, story.tell, f"weather: {spell}")
    for _ in range(script.workers):
        loop.call_later(chance.uniform(0, 2), fleet.start)
    for action in script.actions:
        loop.call_later(action.at_s, fleet.act, action)


def _replays(script: Script) -> Iterator[list[tuple[float, Published]]]:
    for partition in range(script.partitions):
        yield [each for each in script.records if each[1].place[:2] == (REPLAYS, partition)]


async def _drain(broker: Broker, story: Story, replaying: "Sequence[asyncio.Task[None]]") -> tuple[float, int]:
    """How long it took until everything was concluded, and how many records are not."""
    since_s = story.now_s()
    while left := broker.lag() + sum(not each.done() for each in replaying):
        if story.now_s() >= since_s + NO_WITNESS_S_MAX:
            break
        await asyncio.sleep(POLL_S)
    for each in replaying:
        each.cancel()
    story.tell(f"{left} records are left")
    return story.now_s() - since_s, left


def _waits(traces: Traces, left: int, drained_s: float) -> list[str]:
    """Whether it took too long, and so what became of everything cannot be told."""
    if drained_s < DRAINED_S_MAX or (traces.has_failing_poison and not left):
        return []
    name = "no witness" if traces.has_failing_poison else "waiting"
    return [f"{name}: {left} records are not concluded {drained_s:.0f} s after all faults"]


@contextmanager
def _batches_up_to(bytes_max: int) -> Iterator[None]:
    """Cut requests smaller, so that a few records make as many of them as thousands would."""
    functions: list[Any] = [pack.pack, pack.fits]
    before = [each.__kwdefaults__ for each in functions]
    try:
        for each in functions:
            each.__kwdefaults__ = {"bytes_max": bytes_max}
        yield
    finally:
        for each, defaults in zip(functions, before, strict=True):
            each.__kwdefaults__ = defaults
