"""The composition root: Faust's app with our transport and agents, and the parts of a worker, in their order."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import faust
import mode
import structlog
from faust.types import TP

from agents.broadcast_triggers import broadcast_triggers
from agents.domain_events import domain_events
from agents.replay import replay
from agents.transactional_messages import transactional_messages
from agents.user_changes import user_changes
from streams.customerio.region import check_region
from streams.delivery.build import build_delivery
from streams.kafka import topic_plan
from streams.kafka.clients import faust_credentials
from streams.kafka.ends import Ends
from streams.kafka.lag import Lag
from streams.kafka.lease import Lease
from streams.kafka.topics import input_partitions
from streams.kafka.transport import ChunkSchema, Consumer, Owner, Transport
from streams.settings import Settings
from streams.worker_gauges import add_gauges

AGENTS = {
    topic_plan.USER_CHANGES: user_changes,
    topic_plan.DOMAIN_EVENTS: domain_events,
    topic_plan.REPLAY: replay,
}
SENDING_AGENTS = {
    topic_plan.TRANSACTIONAL_MESSAGES: transactional_messages,
    topic_plan.BROADCAST_TRIGGERS: broadcast_triggers,
}
HOLD_S_MAX = 86_400.0  # aiokafka leaves its group when nothing is fetched for so long
STALL_S = 60.0
SESSION_S = 10.0
HEARTBEAT_S = 3.0
REBALANCE_S_MIN = 30.0
REBALANCE_S_MORE = 10.0  # beyond the drain: whoever drains for longer is left behind, and sends beside the new owner
REQUEST_S_MORE = 60.0  # beyond the rebalance: else JoinGroup times out and the group never re-forms

log = structlog.get_logger()


class DeliveryApp(faust.App):
    """One worker: the consumer brings chunks, the agents hand them to the lanes."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.app_id, **_faust_settings(settings))
        self.settings = settings
        self.agents_by_topic = agents_by_topic(settings)
        self.transport = Transport(self.conf.broker_consumer, self)
        self.delivery = build_delivery(
            settings,
            inputs=list(self.agents_by_topic),
            session_s=SESSION_S,
            crash=self.crash,
            epoch=lambda: self.chunk_consumer.epoch,
        )
        self.ends = Ends()
        self.lag = Lag(
            lambda: self.chunk_consumer, position=lambda tp: self.delivery.ledger.position(*tp), end=self._end
        )
        for name, declare in self.agents_by_topic.items():
            topic = self.topic(settings.topic(name), schema=ChunkSchema(), key_type=bytes, value_type=bytes)
            declare(self, topic, self.delivery.lanes.handle)
        add_gauges(self.delivery, settings, self.lag, lambda: self.is_ready()[0])

    @property
    def owner(self) -> Owner:
        """What the consumer tells of its assignments."""
        return self.delivery.assignment

    @property
    def lease(self) -> Lease:
        """What the consumer renews with every heartbeat that is answered."""
        return self.delivery.lease

    @property
    def chunk_consumer(self) -> Consumer:
        """Faust's consumer, which is ours."""
        return cast(Consumer, self.consumer)

    async def on_start(self) -> None:
        """Start what the agents need, before the consumer brings the first chunk."""
        _tell_what_is_left(self)
        partitions = self.loop.run_in_executor(None, input_partitions, self.settings, list(self.agents_by_topic))
        self.delivery.budgets.partitions, _ = await asyncio.gather(partitions, check_region(self.settings))
        self.add_future(self.delivery.journal.run())
        self.add_future(self.delivery.courier.run())
        self.add_future(self.delivery.watchdog.run())
        await super().on_start()
        self.add_future(self.ends.follow(self.chunk_consumer, self.lag.look))

    async def on_stop(self) -> None:
        """Drain, leave the group, and close what is left."""
        await super().on_stop()
        await self.delivery.close()

    def _end(self, tp: TP) -> int | None:
        told = [end for end in (self.ends.of(tp), self.chunk_consumer.committed_end(tp)) if end is not None]
        return max(told, default=None)

    def is_live(self) -> tuple[bool, dict[str, object]]:
        """Whether the fetch loop still turns; a long hold turns it idly."""
        consumer = self.chunk_consumer
        idle_s = time.monotonic() - consumer.polled_at
        is_good = not self.crashed and (not consumer.flow_active or idle_s < STALL_S)
        return is_good, {"live": is_good, "seconds_since_poll": round(idle_s, 1)}

    def is_ready(self) -> tuple[bool, dict[str, object]]:
        """Whether the assignment is known, be it empty, and the ledgers of its partitions are restored."""
        assignment = self.delivery.assignment
        is_good = assignment.is_restored and not self.crashed
        apis = {breaker.api: {"state": breaker.state, "reason": breaker.reason} for breaker in self.delivery.breakers}
        floods = self.delivery.guard.told()
        return is_good, {"ready": is_good, "partitions": len(assignment.owned), "apis": apis, "floods": floods}


def agents_by_topic(settings: Settings) -> dict[str, Callable[..., Any]]:
    """The agents of a worker with these settings: without a key for the App API it leaves the topics of sends alone."""
    return AGENTS if settings.customerio_app_api_key is None else AGENTS | SENDING_AGENTS


def _tell_what_is_left(app: DeliveryApp) -> None:
    left = sorted(SENDING_AGENTS.keys() - app.agents_by_topic.keys())
    if left:
        log.warning("not consumed, for want of CUSTOMERIO_APP_API_KEY", topics=left)


def _faust_settings(settings: Settings) -> dict[str, Any]:
    rebalance_s = max(REBALANCE_S_MIN, settings.drain_s + REBALANCE_S_MORE)
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
        "broker_rebalance_timeout": rebalance_s,
        "broker_request_timeout": rebalance_s + REQUEST_S_MORE,
        "broker_max_poll_interval": HOLD_S_MAX,
        "web_enabled": False,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "autodiscover": False,
    }
