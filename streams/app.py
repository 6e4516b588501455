"""The composition root: the one place where settings, Kafka, Customer.io and the agents are put together."""

import random
import tempfile
import time
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import faust
import mode

from agents.domain_events import domain_events
from agents.pipeline import Pipeline
from agents.user_changes import user_changes
from streams import topic_plan
from streams.assignment import Assignment
from streams.courier import Courier
from streams.customerio.sender import TrackSender
from streams.customerio.track import TrackClient
from streams.journal import Journal
from streams.kafka_clients import faust_credentials, librdkafka_config
from streams.lanes import Lanes
from streams.ledger import Ledger
from streams.ledger_reader import LedgerReader
from streams.metrics import Metrics
from streams.settings import Settings
from streams.throttle import Throttle
from streams.topics import input_partitions
from streams.transactions import OutputTopics, TransactionWriter
from streams.transport import ChunkSchema, Consumer, Transport

AGENTS = {topic_plan.USER_CHANGES: user_changes, topic_plan.DOMAIN_EVENTS: domain_events}
HOLD_S_MAX = 86_400.0  # aiokafka leaves its group when nothing is fetched for so long
STALL_S = 60.0
SESSION_S = 10.0
HEARTBEAT_S = 3.0
REBALANCE_S = 30.0
REQUEST_S = 90.0  # well above the rebalance's: else JoinGroup times out and the group never re-forms


class DeliveryApp(faust.App):
    """Faust's app with our transport, and the parts of a worker in the order in which they start and stop."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.app_id, **_faust_settings(settings))
        self.settings = settings
        self.transport = Transport(self.conf.broker_consumer, self)
        self.metrics = Metrics()
        kafka = librdkafka_config(settings)
        topics = OutputTopics(
            results=settings.topic(topic_plan.RESULTS),
            letters=settings.topic(topic_plan.DLQ),
            people=settings.topic(topic_plan.LEDGER_PEOPLE),
            events=settings.topic(topic_plan.LEDGER_EVENTS),
        )
        reader = LedgerReader(kafka, group=settings.app_id)
        self.ledger = Ledger(window_s=settings.dedupe_window_s, entries_max=settings.dedupe_max_entries)
        self.writer = TransactionWriter(
            kafka,
            group=settings.app_id,
            transactional_id=f"{settings.app_id}-{uuid.uuid4().hex}",
            topics=topics,
            reader=reader,
        )
        self.journal = Journal(self.writer, observe=self.metrics.transaction)
        self.throttle = Throttle(settings.track_rate_per_s)
        self.track = _track_client(settings)
        self.courier = Courier(
            TrackSender(
                self.track, self.throttle, self.metrics, backoff_s=settings.retry_backoff_s, jitter=random.random
            )
        )
        self.lanes = Lanes(
            Pipeline(
                courier=self.courier,
                journal=self.journal,
                ledger=self.ledger,
                observer=self.metrics,
                clock_ms=lambda: time.time_ns() // 1_000_000,
                group=settings.app_id,
            ),
            drain_s=settings.drain_s,
            crash=self.crash,
        )
        self.owner = Assignment(
            ledger=self.ledger,
            reader=reader,
            lanes=self.lanes,
            throttle=self.throttle,
            metrics=self.metrics,
            topics=topics,
            epoch=lambda: self.chunk_consumer.epoch,
        )
        for name, declare in AGENTS.items():
            topic = self.topic(settings.topic(name), schema=ChunkSchema(), key_type=bytes, value_type=bytes)
            declare(self, topic, self.lanes.handle)
        _add_gauges(self)

    @property
    def chunk_consumer(self) -> Consumer:
        """Faust's consumer, which is ours."""
        return cast(Consumer, self.consumer)

    async def on_start(self) -> None:
        """Start what the agents need, before the consumer brings the first chunk."""
        count = self.loop.run_in_executor(None, input_partitions, self.settings, list(AGENTS))
        self.owner.partitions_total = await count
        self.add_future(self.journal.run())
        self.add_future(self.courier.run())
        await super().on_start()

    async def on_stop(self) -> None:
        """Drain, leave the group, and close what is left."""
        await super().on_stop()
        self.journal.close()
        self.owner.close()
        await self.track.close()

    def is_live(self) -> tuple[bool, dict[str, object]]:
        """Whether the fetch loop still turns; a long hold turns it idly."""
        consumer = self.chunk_consumer
        idle_s = time.monotonic() - consumer.polled_at
        is_good = not self.crashed and (not consumer.flow_active or idle_s < STALL_S)
        return is_good, {"live": is_good, "seconds_since_poll": round(idle_s, 1)}

    def is_ready(self) -> tuple[bool, dict[str, object]]:
        """Whether the assignment is known, be it empty, and the ledgers of its partitions are restored."""
        is_good = self.owner.is_restored and not self.crashed
        return is_good, {"ready": is_good, "partitions": len(self.owner.owned)}


def _track_client(settings: Settings) -> TrackClient:
    key = settings.customerio_track_api_key
    return TrackClient(
        settings.track_url,
        site_id=settings.customerio_site_id or "",
        api_key=key.get_secret_value() if key else "",
        timeout_s=settings.request_timeout_s,
    )


def _faust_settings(settings: Settings) -> dict[str, Any]:
    return {
        "broker": [f"kafka://{server}" for server in settings.bootstrap.split(",")],
        "broker_credentials": faust_credentials(settings),
        "agent_supervisor": mode.CrashingSupervisor,  # never "acknowledge, restart and skip"
        "stream_wait_empty": True,
        "store": "memory://",
        "datadir": str(Path(tempfile.gettempdir()) / "customerio-streams"),
        "table_standby_replicas": 0,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "consumer_auto_offset_reset": "earliest",
        "broker_session_timeout": SESSION_S,
        "broker_heartbeat_interval": HEARTBEAT_S,
        "broker_rebalance_timeout": REBALANCE_S,
        "broker_request_timeout": REQUEST_S,
        "broker_max_poll_interval": HOLD_S_MAX,
        "web_enabled": False,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "autodiscover": False,
    }


def _add_gauges(app: DeliveryApp) -> None:
    live, ledger = app.metrics.live, app.ledger

    def lag() -> Iterable[tuple[Sequence[str], float]]:
        for tp in app.owner.owned:
            highwater = app.consumer.highwater(tp)
            if highwater is not None:
                yield (tp.topic, str(tp.partition)), max(0, highwater - app.lanes.position(tp.topic, tp.partition))

    live("cio_lag_records", "Records of a partition without a committed conclusion.", ("topic", "partition"), lag)
    live("cio_owned_partitions", "Input partitions of this worker.", (), lambda: [((), len(app.owner.owned))])
    live("cio_ready", "1 when assignment and ledger are ready.", (), lambda: [((), app.is_ready()[0])])
    live("cio_rate_per_second", "Requests that this worker may send.", (), lambda: [((), app.throttle.rate_per_s)])
    live("cio_rate_wait_seconds", "Time spent waiting for the rate.", (), lambda: [((), app.throttle.waited_s)])
    live(
        "cio_ledger_entries",
        "Entries in memory.",
        ("kind",),
        lambda: [(("people",), ledger.person_count()), (("events",), ledger.event_count())],
    )
    live("cio_ledger_evictions", "Fingerprints forgotten for want of room.", (), lambda: [((), ledger.evictions)])
