"""aiokafka's consumer in a thread of its own, with what Faust hard-codes set right and what aiokafka overdoes bounded.

Decides nothing about records: what is fetched goes to the transport as it is.
"""

import asyncio
import time
from typing import Any

import aiokafka
import structlog
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import (
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from streams.kafka.bounded_requests import bound_requests
from streams.kafka.calm_metadata import calm_metadata
from streams.kafka.group_watch import GroupWatch
from streams.kafka.odd_headers import accept_odd_headers

LONG_POLL_MS = 500  # at the broker, while every partition is asked for
SHORT_POLL_MS = 20  # while some are busy: the next request must not wait long for those that become free
CHUNK_RECORDS_MAX = 2_000  # bounds memory and the time that one chunk takes: compressed, a fetch may bring many more
REFUSED_S = 5.0  # a topic that we may not read is asked for again

log = structlog.get_logger()


class CutError(AssertionError):
    """A partition does not hold the offset that is next: whoever starts anew finds out where to go on."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Runs aiokafka in a thread of its own, so that heartbeats go on while the main loop works."""

    def __post_init__(self) -> None:
        """Add what we keep ourselves."""
        super().__post_init__()
        self._refused_until_s: dict[str, float] = {}

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        accept_odd_headers()
        consumer = aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[RangePartitionAssignor],  # partition p of all topics to the same worker
            isolation_level="read_committed",  # an upstream's rolled-back records were never sent
            enable_auto_commit=False,
            auto_offset_reset="none",  # we say where to start; anywhere else, records would be passed over
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=LONG_POLL_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )
        calm_metadata(consumer._client)
        bound_requests(consumer._client)
        return consumer

    @Service.task
    async def _watch_group(self) -> None:
        coordinator = self._ensure_consumer()._coordinator
        await GroupWatch(coordinator, self.app.lease, group=self.app.conf.id).run()  # type: ignore[attr-defined]  # ours

    def stands(self, tp: TP) -> tuple[int | None, int | None]:
        """The offset that is fetched next, and the end of what is committed as the last fetch told, where known."""
        state = self._state(tp)
        return (state._position, state.lso) if state else (None, None)

    def told_s(self, tp: TP) -> float:
        """When a fetch told the end last, by the clock; 0 before the first."""
        state = self._state(tp)
        return (state.timestamp or 0) / 1000 if state else 0

    def _state(self, tp: TP) -> Any:
        assignment = self._ensure_consumer()._subscription.subscription.assignment
        return assignment and assignment.state_value(tp)

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,  # noqa: ARG002 - as above
    ) -> Any:
        """Fetch from these partitions only: the others stay paused, so nothing small is fetched ahead of demand."""
        fetcher = consumer._fetcher
        if not self.consumer.flow_active:
            return {}
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        if fetcher.error_future.done():
            fetcher.error_future.result()  # its loop has ended on the unforeseen: so must we, else we idle for ever
        wanted = {tp for tp in consumer.assignment() if tp in active_partitions and self._may_ask(tp)}
        if not wanted:
            await asyncio.sleep(timeout or 0)
            return {}
        fetcher._fetch_max_wait_ms = LONG_POLL_MS if timeout and timeout * 1000 > SHORT_POLL_MS else SHORT_POLL_MS
        consumer.resume(*wanted)
        try:
            with fetcher._subscriptions.fetch_context():
                return await self._ask(fetcher, wanted, timeout)
        finally:
            consumer.pause(*(wanted & consumer.assignment()))  # a rebalance may have taken some

    async def _ask(self, fetcher: Any, wanted: set[TP], timeout: float | None) -> Any:  # noqa: ASYNC109 - as above
        try:
            return await fetcher.fetched_records(wanted, timeout=timeout, max_records=CHUNK_RECORDS_MAX)
        except NoOffsetForPartitionError:
            return {}  # assigned, but the seek to where we start is still under way
        except GroupAuthorizationFailedError:
            await asyncio.sleep(timeout or 0)  # aiokafka tells it to whoever waits; the watch says it
            return {}
        except TopicAuthorizationFailedError as error:
            self._refused(str(error.args[0]))
            return {}
        except OffsetOutOfRangeError as error:
            places = ", ".join(f"{tp.topic}/{tp.partition} at {offset}" for tp, offset in error.args[0].items())
            raise CutError(f"{places}: the offset that is next is not there: was the topic deleted or cut?") from error

    def _may_ask(self, tp: TP) -> bool:
        return time.monotonic() >= self._refused_until_s.get(tp.topic, 0)

    def _refused(self, topic: str) -> None:
        self._refused_until_s[topic] = time.monotonic() + REFUSED_S
        log.warning("waiting for Kafka", why=f"not allowed to read {topic}: allow READ on it")
