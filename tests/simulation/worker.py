"""One simulated worker: a process of its own, with a consumer and the real parts behind it. It decides nothing."""

import asyncio
import contextlib
import random
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from agents.plans.domain_events import DomainEventsPlan
from agents.plans.replay import ReplayPlan
from agents.plans.user_changes import UserChangesPlan
from streams.delivery.lanes import Lanes
from streams.kafka.lease import Lease
from streams.settings import Settings
from tests.faults.traffic import CHANGES, EVENTS
from tests.simulation.consumer import Consumer, Link
from tests.simulation.customerio import CustomerIo
from tests.simulation.delivery import Surroundings, build_delivery
from tests.simulation.group import SESSION_S
from tests.simulation.kafka import REPLAYS, Broker, Tp
from tests.simulation.loop import Process, spawn, this_loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What all workers share; `failed` hears of a worker that crashes."""

    broker: Broker
    customerio: CustomerIo
    settings: Settings
    chunk_max: int
    failed: Callable[["Worker", BaseException], None]


#: Whose process is whose.
WORKERS: "weakref.WeakKeyDictionary[Process, Worker]" = weakref.WeakKeyDictionary()


class Worker:
    """Begins when it is made. Stopped, woken and killed from the outside; ends by itself when it is told to."""

    def __init__(self, number: int, outside: Outside, chance: random.Random) -> None:
        self.name = f"w{number}"
        self.process = Process(self.name)
        self.is_dead = self.is_ending = False
        self.since_s = outside.customerio.story_s()
        self._failed = outside.failed
        self._asked = asyncio.Event()
        self._link = link = Link(broker=outside.broker)
        lease = Lease(SESSION_S, clock_s=asyncio.get_running_loop().time)
        self.consumer = Consumer(self.name, link, lease, chunk_max=outside.chunk_max)
        around = Surroundings(
            name=self.name,
            broker=outside.broker,
            customerio=outside.customerio,
            settings=outside.settings,
            lease=lease,
            is_cut=lambda: link.is_cut,
            chance=chance,
        )
        self._delivery = build_delivery(around, crash=self._crash, epoch=lambda: self.consumer.epoch)
        self.consumer.owner = self._delivery.assignment
        self.consumer.failed = self._crash
        plans: dict[str, Any] = {CHANGES: UserChangesPlan, EVENTS: DomainEventsPlan, REPLAYS: ReplayPlan}
        self.consumer.handles = {topic: partial(_handle, self._delivery.lanes, plan) for topic, plan in plans.items()}
        WORKERS[self.process] = self
        self._running = spawn(self.process, self._run())

    async def _run(self) -> None:
        parts = (self._delivery.journal, self._delivery.courier, self._delivery.watchdog, self.consumer)
        services = [asyncio.create_task(part.run()) for part in parts]
        asked = asyncio.create_task(self._asked.wait())
        await asyncio.wait([asked, *services], return_when=asyncio.FIRST_COMPLETED)
        for service in services:
            if service.done():
                await self._crash(service.exception() or AssertionError("a service has ended"))
        services[-1].cancel()
        await self.consumer.give_back()
        self.consumer.leave()
        for service in services:
            service.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*services)

    async def _crash(self, error: BaseException) -> None:
        if not self.is_dead:
            self.kill()
            self._failed(self, error)

    def kill(self) -> None:
        """End it as a power cut would; what it has sent is on its way all the same."""
        self.is_dead = True
        if not self.process.is_stopped:
            this_loop().stop_process(self.process)

    def open_places(self) -> list[Tp]:
        """What a transaction of its may hold at this moment."""
        return [(tp.topic, tp.partition) for tp in self._delivery.assignment.owned]

    def pause(self) -> None:
        """Freeze it where it is."""
        this_loop().stop_process(self.process)

    def wake(self) -> None:
        """Let it go on, not knowing that it was away."""
        if not self.is_dead and self.process.is_stopped:
            this_loop().wake_process(self.process)

    def cut(self) -> None:
        """Take Kafka away from it."""
        self._link.is_cut = True

    def mend(self) -> None:
        """Give Kafka back."""
        self._link.is_cut = False

    async def end(self) -> None:
        """Ask it to end, and return when it has."""
        self.is_ending = True
        self._asked.set()
        await asyncio.wait([self._running])
        self.is_dead = True


async def _handle(lanes: Lanes, plan: Any, event: Any) -> None:  # noqa: ANN401 - as the agents do
    await lanes.handle(event, plan)
