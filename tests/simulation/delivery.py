"""The real parts of a worker, put together as `streams/delivery/build.py` does, on the simulated outside.

This is the only file that knows how they are made.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from confluent_kafka import Producer

from agents.desk import Outside
from agents.pipeline import Pipeline
from agents.ports import Publication
from schemas.chunk import Membership
from streams.customerio.breaker import Breaker
from streams.customerio.sender import TrackSender
from streams.customerio.wire import Wire
from streams.delivery.assignment import Assignment
from streams.delivery.budgets import Budgets
from streams.delivery.courier import Courier
from streams.delivery.flood_guard import FloodGuard
from streams.delivery.journal import Journal
from streams.delivery.lanes import Lanes
from streams.delivery.ledger import Ledger
from streams.delivery.throttle import Throttle
from streams.delivery.turns import Turns
from streams.delivery.watchdog import Watchdog
from streams.kafka.lease import Lease
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.transactions import OutputTopics, TransactionWriter
from streams.metrics.observers import Metrics
from streams.settings import Settings
from tests.fakes import FakeMessenger
from tests.flood_world import FakeResumed
from tests.simulation import kafka
from tests.simulation.customerio import CustomerIo, SimulatedClient
from tests.simulation.kafka import Broker, DoubtReader, Reader
from tests.simulation.producer import SimulatedProducer

GROUP = "simulated"
INIT_S = 15.0
STUCK_S = 30.0  # sooner than in production: nothing of the simulation takes so long
TOPICS = OutputTopics(
    results=kafka.RESULTS, letters=kafka.LETTERS, people=kafka.PEOPLE, events=kafka.EVENTS, sends=kafka.SENDS
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a worker finds around it; `is_cut` while it cannot reach Kafka, `chance` is its own."""

    name: str
    broker: Broker
    customerio: CustomerIo
    settings: Settings
    lease: Lease
    is_cut: Callable[[], bool]
    chance: random.Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Everything between a chunk and its committed conclusions."""

    courier: Courier
    journal: Journal
    lanes: Lanes
    assignment: Assignment
    watchdog: Watchdog


class SimulatedWriter(TransactionWriter):
    """The real writer with a producer of the simulation; slow when the broker is."""

    def __init__(self, around: Surroundings) -> None:
        reader = cast(LedgerReader, DoubtReader(around.broker))
        super().__init__({}, group=GROUP, transactional_id=around.name, topics=TOPICS, reader=reader)
        self._around = around

    def write(self, publications: Sequence[Publication], membership: Membership) -> Any:  # noqa: ANN401 - an awaitable
        """Commit all, after a while."""
        return self._write_late(publications, membership)

    async def _write_late(self, publications: Sequence[Publication], membership: Membership) -> None:
        broker = self._around.broker
        await asyncio.sleep(broker.random.random() * broker.slow_s)
        super().write(publications, membership)

    def _ready_producer(self) -> Producer:
        if self._producer is None:
            producer = SimulatedProducer(self._around.broker, self._around.name, self._around.is_cut)
            producer.init_transactions(INIT_S)
            self._producer = cast(Producer, producer)
        return self._producer


def build_delivery(
    around: Surroundings, *, crash: Callable[[BaseException], Awaitable[None]], epoch: Callable[[], int]
) -> Delivery:
    """Put a worker together."""
    settings, broker, metrics = around.settings, around.broker, Metrics()
    ledger = Ledger(window_s=settings.dedupe_window_s, entries_max=settings.dedupe_max_entries, clock_s=broker.now_s)
    budgets = Budgets(settings, around.lease)
    budgets.partitions = dict.fromkeys(kafka.INPUTS, broker.group.partitions)
    throttle = budgets.throttles["track"]
    courier = Courier(
        _sender(around, throttle, metrics), is_rate_tight=lambda: throttle.rate_per_s * settings.drain_s < 1
    )
    journal, turns = Journal(SimulatedWriter(around), observe=metrics.transaction), Turns()
    guard = FloodGuard(share_max=settings.dlq_max_share, exempt=(), resumed=FakeResumed(), observer=metrics)
    outside = Outside(
        courier=courier,
        messenger=FakeMessenger(),
        journal=journal,
        ledger=ledger,
        observer=metrics,
        clock_ms=lambda: int(broker.now_s() * 1000),
        group=GROUP,
    )
    pipeline = Pipeline(outside=outside, turns=turns, guard=guard)
    lanes = Lanes(
        pipeline,
        drain_s=settings.drain_s,
        is_ours=lambda: around.lease.is_held,
        crash=crash,
        held=lambda: courier.held() | guard.held(),
    )
    reader = cast(LedgerReader, Reader(broker, around.is_cut))
    assignment = Assignment(
        ledger=ledger, reader=reader, lanes=lanes, budgets=budgets, metrics=metrics, topics=TOPICS, epoch=epoch
    )
    in_line = [courier.in_line, journal.in_line, turns.in_line, guard.held]
    watchdog = Watchdog(lanes, in_line=in_line, stuck_s=STUCK_S, count=metrics.stuck)
    return Delivery(courier=courier, journal=journal, lanes=lanes, assignment=assignment, watchdog=watchdog)


def _sender(around: Surroundings, throttle: Throttle, metrics: Metrics) -> TrackSender:
    settings, jitter = around.settings, around.chance.random
    client = SimulatedClient(
        customerio=around.customerio,
        worker=around.name,
        lease=around.lease,
        random=around.chance,
        timeout_s=settings.request_timeout_s,
        rate_per_s=lambda: throttle.rate_per_s,
    )
    breaker = Breaker("track", first_pause_s=settings.retry_backoff_s, jitter=jitter, observer=metrics)
    return TrackSender(
        client,
        Wire(breaker, throttle, metrics),
        attempts_max=settings.retry_attempts,
        backoff_s=settings.retry_backoff_s,
        jitter=jitter,
        describe_region=lambda _: "",
    )
