"""The parts of a worker that know nothing of Faust, put together from the settings."""

import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.desk import Outside
from agents.pipeline import Pipeline
from streams.clock import now_ms
from streams.customerio.breaker import Standing
from streams.customerio.credentials import Credentials
from streams.customerio.sender import TrackSender
from streams.customerio.senders import track_sender
from streams.customerio.track import TrackClient
from streams.delivery.assignment import Assignment
from streams.delivery.budgets import Budgets
from streams.delivery.build_sends import Sends, build_sends
from streams.delivery.chunk_log import ChunkLog
from streams.delivery.courier import Courier
from streams.delivery.flood_guard import FloodGuard
from streams.delivery.journal import Journal
from streams.delivery.lanes import Lanes
from streams.delivery.ledger import Ledger
from streams.delivery.messenger import Messenger
from streams.delivery.observers import Observers
from streams.delivery.resumed import Resumed
from streams.delivery.resumes import ResumeReader
from streams.delivery.throttle import Throttle
from streams.delivery.tracing import Tracing, start_tracing
from streams.delivery.turns import Turns
from streams.delivery.watchdog import InLine, Watchdog
from streams.kafka import topic_plan
from streams.kafka.clients import librdkafka_config
from streams.kafka.lease import Lease
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.output_diagnosis import OutputDiagnosis
from streams.kafka.transactions import OutputTopics, TransactionWriter
from streams.metrics.observers import Metrics
from streams.settings import Settings

OVERDUE_S = 5.0  # beyond a request's time-out, and the session after which Kafka is known to be away: only then stuck


class Closing(Protocol):
    """What has something open until the end."""

    async def close(self) -> None:
        """Close it; in bounded time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Everything between a chunk and its committed conclusions."""

    metrics: Metrics
    ledger: Ledger
    budgets: Budgets
    breakers: Sequence[Standing]
    open: Sequence[Closing]
    courier: Courier
    messenger: Messenger
    journal: Journal
    lanes: Lanes
    lease: Lease
    assignment: Assignment
    watchdog: Watchdog
    guard: FloodGuard

    async def close(self) -> None:
        """Close what is left once the lanes are drained."""
        self.journal.close()
        self.assignment.close()
        self.guard.close()
        for each in self.open:
            await each.close()


def build_delivery(
    settings: Settings,
    *,
    inputs: Collection[str],
    session_s: float,
    crash: Callable[[BaseException], Awaitable[None]],
    epoch: Callable[[], int],
) -> Delivery:
    """Put a worker together that reads `inputs`; `crash` ends it, `epoch` counts its consumer's assignments."""
    lease, metrics = Lease(session_s), Metrics()
    tracing = start_tracing(settings, metrics.spans_dropped.inc)
    topics, reader = OutputTopics.of(settings), LedgerReader(librdkafka_config(settings), group=settings.app_id)
    ledger, budgets, track = Ledger.of(settings), Budgets(settings, lease), _track_client(settings, lease, tracing)
    sender, courier = _courier(settings, track, budgets.throttles["track"], metrics)
    journal = Journal(tracing.writer(_writer(settings, inputs, topics, reader, metrics)), observe=metrics.transaction)
    turns, guard = Turns(), _guard(settings, metrics)
    sends = build_sends(settings, budgets, lease=lease, metrics=metrics, lanes=lambda: lanes, traced=tracing.request)
    outside = _outside(settings, tracing, metrics, courier=courier, sends=sends, journal=journal, ledger=ledger)
    held = _either_but(sends.messenger.busy, courier.held, sends.messenger.held, guard.held)
    in_line = [courier.in_line, sends.messenger.in_line, journal.in_line, turns.in_line, guard.held]
    works = tracing.works(Pipeline(outside=outside, turns=turns, guard=guard))
    lanes = Lanes(works, drain_s=settings.drain_s, is_ours=lambda: lease.is_held, crash=crash, held=held)
    assignment = Assignment(
        ledger=ledger, reader=reader, lanes=lanes, budgets=budgets, metrics=metrics, topics=topics, epoch=epoch
    )
    return Delivery(
        metrics=metrics,
        ledger=ledger,
        budgets=budgets,
        breakers=[sender.breaker, *sends.breakers],
        open=(track, sends, tracing),
        courier=courier,
        messenger=sends.messenger,
        journal=journal,
        lanes=lanes,
        lease=lease,
        assignment=assignment,
        watchdog=_watchdog(settings, lanes, metrics, in_line=in_line, session_s=session_s),
        guard=guard,
    )


def _guard(settings: Settings, metrics: Metrics) -> FloodGuard:
    return FloodGuard(
        share_max=settings.dlq_max_share,
        exempt=[settings.topic(topic_plan.REPLAY)],  # an operator has asked for what is on it
        resumed=Resumed(ResumeReader(settings)),
        observer=metrics,
    )


def _either_but(busy: InLine, *places: InLine) -> InLine:
    return lambda: set().union(*(place() for place in places)) - busy()


def _outside(
    settings: Settings,
    tracing: Tracing,
    metrics: Metrics,
    *,
    courier: Courier,
    sends: Sends,
    journal: Journal,
    ledger: Ledger,
) -> Outside:
    return Outside(
        courier=courier,
        messenger=sends.messenger,
        journal=journal,
        ledger=ledger,
        observer=Observers(metrics, ChunkLog(), tracing),
        clock_ms=now_ms,
        group=settings.app_id,
        send_concurrency=settings.send_concurrency,
        is_traced=tracing.is_on,
    )


def _courier(
    settings: Settings, track: TrackClient, throttle: Throttle, metrics: Metrics
) -> tuple[TrackSender, Courier]:
    sender = track_sender(settings, track, throttle, metrics)
    return sender, Courier(sender, is_rate_tight=lambda: throttle.rate_per_s * settings.drain_s < 1)


def _watchdog(
    settings: Settings, lanes: Lanes, metrics: Metrics, *, in_line: Sequence[InLine], session_s: float
) -> Watchdog:
    stuck_s = max(settings.stuck_s, settings.request_timeout_s + OVERDUE_S, session_s + OVERDUE_S)
    return Watchdog(lanes, in_line=in_line, stuck_s=stuck_s, count=metrics.stuck)


def _writer(
    settings: Settings, inputs: Collection[str], topics: OutputTopics, reader: LedgerReader, metrics: Metrics
) -> TransactionWriter:
    config, group, transactional_id = (
        librdkafka_config(settings),
        settings.app_id,
        f"{settings.app_id}-{uuid.uuid4().hex}",
    )
    diagnosis = OutputDiagnosis(
        config,
        written=topics.written(with_sends=settings.customerio_app_api_key is not None),
        read=[settings.topic(name) for name in inputs],
        group=group,
    )
    return TransactionWriter(
        config,
        group=group,
        transactional_id=transactional_id,
        topics=topics,
        reader=reader,
        advise=diagnosis.advice,
        aborted=metrics.aborted,
    )


def _track_client(settings: Settings, lease: Lease, tracing: Tracing) -> TrackClient:
    return TrackClient(
        settings.track_url,
        credentials=Credentials(settings),
        timeout_s=settings.request_timeout_s,
        permit=lease.acquire,
        traced=tracing.request,
    )
