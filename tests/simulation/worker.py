"""One simulated worker: the real parts, put together as `streams/delivery/build.py` does, on a fake outside.

This is the only file that knows how they are made.
"""

import asyncio
import contextlib
import random
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from confluent_kafka import Producer

from agents.pipeline import Pipeline
from agents.plans.domain_events import DomainEventsPlan
from agents.plans.user_changes import UserChangesPlan
from agents.ports import Publication
from schemas.chunk import Membership
from streams.customerio.breaker import Breaker
from streams.customerio.sender import TrackSender
from streams.customerio.wire import Wire
from streams.delivery.assignment import Assignment
from streams.delivery.budgets import Budgets
from streams.delivery.courier import Courier
from streams.delivery.journal import Journal
from streams.delivery.lanes import Lanes
from streams.delivery.ledger import Ledger
from streams.delivery.throttle import Throttle
from streams.delivery.watchdog import Watchdog
from streams.kafka.lease import Lease
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.transactions import OutputTopics, TransactionWriter
from streams.metrics import Metrics
from streams.settings import Settings
from tests.faults.traffic import CHANGES, EVENTS
from tests.simulation import kafka
from tests.simulation.consumer import Consumer, Link
from tests.simulation.customerio import CustomerIo, SimulatedClient
from tests.simulation.group import SESSION_S
from tests.simulation.kafka import Broker, DoubtReader, Reader, Tp
from tests.simulation.loop import Process, spawn, this_loop
from tests.simulation.producer import SimulatedProducer

GROUP = "simulated"
INIT_S = 15.0
STUCK_S = 30.0  # sooner than in production: nothing of the simulation takes so long
TOPICS = OutputTopics(results=kafka.RESULTS, letters=kafka.LETTERS, people=kafka.PEOPLE, events=kafka.EVENTS)


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


class SimulatedWriter(TransactionWriter):
    """The real writer with a producer of the simulation; slow when the broker is."""

    def __init__(self, broker: Broker, *, name: str, is_cut: Callable[[], bool]) -> None:
        super().__init__(
            {}, group=GROUP, transactional_id=name, topics=TOPICS, reader=cast(LedgerReader, DoubtReader(broker))
        )
        self._broker = broker
        self._is_cut = is_cut

    def write(self, publications: Sequence[Publication], membership: Membership) -> Any:  # noqa: ANN401 - an awaitable
        """Commit all, after a while."""
        return self._write_late(publications, membership)

    async def _write_late(self, publications: Sequence[Publication], membership: Membership) -> None:
        await asyncio.sleep(self._broker.random.random() * self._broker.slow_s)
        super().write(publications, membership)

    def _ready_producer(self) -> Producer:
        if self._producer is None:
            producer = SimulatedProducer(self._broker, self._config["transactional.id"], self._is_cut)  # type: ignore[arg-type]
            producer.init_transactions(INIT_S)
            self._producer = cast(Producer, producer)
        return self._producer


class Worker:
    """Begins when it is made. Stopped, woken and killed from the outside; ends by itself when it is told to."""

    def __init__(self, number: int, outside: Outside, chance: random.Random) -> None:
        self.name = f"w{number}"
        self.process = Process(self.name)
        self.is_dead = self.is_ending = False
        self.since_s = outside.customerio.story_s()
        self._outside = outside
        self._link = Link(broker=outside.broker)
        self._lease = Lease(SESSION_S, clock_s=asyncio.get_running_loop().time)
        self._budgets = Budgets(outside.settings, self._lease)
        self.consumer = Consumer(self.name, self._link, self._lease, chunk_max=outside.chunk_max)
        self._asked = asyncio.Event()
        WORKERS[self.process] = self
        self._build(chance)
        self._running = spawn(self.process, self._run())

    def _build(self, chance: random.Random) -> None:
        broker, settings = self._outside.broker, self._outside.settings
        metrics = Metrics()
        ledger = Ledger(
            window_s=settings.dedupe_window_s, entries_max=settings.dedupe_max_entries, clock_s=broker.now_s
        )
        throttle = self._budgets.throttles["track"]
        self._courier = courier = Courier(
            self._sender(metrics, throttle, chance),
            is_rate_tight=lambda: throttle.rate_per_s * settings.drain_s < 1,
        )
        writer = SimulatedWriter(broker, name=self.name, is_cut=self._is_cut)
        self._journal = journal = Journal(writer, observe=metrics.transaction)
        pipeline = Pipeline(
            courier=self._courier,
            journal=self._journal,
            ledger=ledger,
            observer=metrics,
            clock_ms=lambda: int(broker.now_s() * 1000),
            group=GROUP,
        )
        lanes = Lanes(
            pipeline,
            drain_s=settings.drain_s,
            is_ours=lambda: self._lease.is_held,
            crash=self._crash,
            held=courier.held,
        )
        self._watchdog = Watchdog(
            lanes, in_line=[courier.in_line, journal.in_line], stuck_s=STUCK_S, count=metrics.stuck
        )
        self._assignment = Assignment(
            ledger=ledger,
            reader=cast(LedgerReader, Reader(broker, self._is_cut)),
            lanes=lanes,
            budgets=self._budgets,
            metrics=metrics,
            topics=TOPICS,
            epoch=lambda: self.consumer.epoch,
        )
        self._budgets.partitions = dict.fromkeys((CHANGES, EVENTS), broker.group.partitions)
        self.consumer.owner = self._assignment
        self.consumer.failed = self._crash
        plans: dict[str, Any] = {CHANGES: UserChangesPlan, EVENTS: DomainEventsPlan}
        self.consumer.handles = {topic: partial(_handle, lanes, plan) for topic, plan in plans.items()}

    def _sender(self, metrics: Metrics, throttle: Throttle, chance: random.Random) -> TrackSender:
        settings = self._outside.settings
        client = SimulatedClient(
            customerio=self._outside.customerio,
            worker=self.name,
            lease=self._lease,
            random=chance,
            timeout_s=settings.request_timeout_s,
            rate_per_s=lambda: throttle.rate_per_s,
        )
        breaker = Breaker("track", first_pause_s=settings.retry_backoff_s, jitter=chance.random, observer=metrics)
        return TrackSender(
            client,
            Wire(breaker, throttle, metrics),
            attempts_max=settings.retry_attempts,
            backoff_s=settings.retry_backoff_s,
            jitter=chance.random,
            describe_region=lambda _: "",
        )

    async def _run(self) -> None:
        parts = (self._journal, self._courier, self._watchdog, self.consumer)
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

    def _is_cut(self) -> bool:
        return self._link.is_cut

    async def _crash(self, error: BaseException) -> None:
        if not self.is_dead:
            self.kill()
            self._outside.failed(self, error)

    def kill(self) -> None:
        """End it as a power cut would; what it has sent is on its way all the same."""
        self.is_dead = True
        if not self.process.is_stopped:
            this_loop().stop_process(self.process)

    def open_places(self) -> list[Tp]:
        """What a transaction of its may hold at this moment."""
        return [(tp.topic, tp.partition) for tp in self._assignment.owned]

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
