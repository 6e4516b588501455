"""Chunks of a partition, fetched on demand and handed to Faust with an explicit cursor.

Faust's aiokafka driver with what it hard-codes set right. Nothing that was fetched is ever dropped without seeking back
to the cursor, and a partition with enough outstanding is not asked for more, so that what arrives meanwhile becomes the
next, bigger chunk. Offsets are committed by the journal's transactions, never here.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol, cast

import faust
import structlog
from faust.events import Event
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from schemas.chunk import Chunk, Membership
from schemas.errors import UnavailableError
from streams.kafka.consumer_thread import SHORT_POLL_MS, ConsumerThread
from streams.kafka.heartbeats import renew_with_heartbeats
from streams.kafka.lease import Lease

PACE_S = 0.15  # between two fetches under a trickle: what arrives meanwhile shares one request and one transaction
FULL_CHUNK_RECORDS = 500  # a partition with a backlog: fetch its next chunk while this one is worked on
IDLE_S = 0.2
TAKE_OVER_AGAIN_S = 5.0

log = structlog.get_logger()


class Owner(Protocol):
    """What the transport needs to know from the worker at each assignment and revocation."""

    async def take_over(self, partitions: Iterable[TP]) -> Mapping[TP, int]:
        """Restore what is remembered of these partitions and return the offset to start each one at.

        Raises:
            UnavailableError: not all of it can be read; try again.
        """

    async def drain(self) -> None:
        """Finish or abandon the work in flight; returns within the drain deadline."""


class RebalanceListener(driver.ConsumerRebalanceListener):
    """Notes who we are in the group together with what we were assigned."""

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Keep the membership that this assignment belongs to, and fetch nothing before it is asked for."""
        consumer = self._thread._ensure_consumer()
        coordinator = consumer._coordinator
        ours = cast(Consumer, self._thread.consumer)
        ours.membership = Membership(coordinator.generation, coordinator.member_id)
        consumer.pause(*assigned)
        await renew_with_heartbeats(coordinator, ours.lease)
        await super().on_partitions_assigned(assigned)


class Consumer(driver.Consumer):
    """Hands out chunks; `cursor` is the next offset of every partition we own.

    `passed` is how far a partition was seen to hold no more, `last_ms` when its last concluded record was written.
    """

    RebalanceListener = RebalanceListener
    membership = Membership(-1, "")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor: dict[TP, int] = {}
        self.epoch = 0
        self.rewinds = 0
        self.polled_at = time.monotonic()
        self.passed: dict[TP, int] = {}
        self.last_ms: dict[TP, int] = {}
        self._outstanding: dict[TP, list[Chunk]] = {}
        self._full: set[TP] = set()
        self._freed = asyncio.Event()
        self._next_fetch_at = 0.0

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def lease(self) -> Lease:
        """What the worker may send by."""
        return cast(Lease, self.app.lease)  # type: ignore[attr-defined]  # our app has one

    @property
    def owner(self) -> Owner:
        """The worker's side of an assignment."""
        return cast(Owner, self.app.owner)  # type: ignore[attr-defined]  # our app has one

    def stop_flow(self) -> None:
        """A rebalance or the end begins: what is outstanding now is of an earlier epoch."""
        self.epoch += 1
        self._outstanding.clear()
        self.passed.clear()
        self.last_ms.clear()
        self._full.clear()
        self.cursor = {}  # nothing is fetched before it is taken over, even when an overtaken recovery resumes the flow
        super().stop_flow()

    def assigned(self) -> AbstractSet[TP]:
        """The partitions that are ours, none before the thread has started."""
        try:
            return self.assignment()
        except ConsumerNotStarted:
            return frozenset()

    def committed_end(self, tp: TP) -> int | None:
        """The end of what is committed, as the last fetch told."""
        return cast(ConsumerThread, self._thread).stands(tp)[1]

    def told_s(self, tp: TP) -> float:
        """When that was, by the clock; 0 before the first."""
        return cast(ConsumerThread, self._thread).told_s(tp)

    def in_hand(self, tp: TP) -> Sequence[Chunk]:
        """The chunks that are handed out and not done, the oldest first."""
        return self._outstanding.get(tp, ())

    def ack(self, message: Any) -> bool:
        """A chunk is done: its partition may be asked for the next."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        if message.value.epoch == self.epoch:
            self._outstanding[message.tp].remove(message.value)
            self.last_ms[message.tp] = message.value.records[-1].timestamp
            self._freed.set()
        return True

    async def wait_empty(self) -> None:
        """Faust waits here for ever; we finish or abandon the work in flight within the drain deadline."""
        await self.owner.drain()
        self._unacked_messages.clear()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop also when there is nothing to revoke: what is assigned next must be restored before it is fetched."""
        if not self.assignment():  # of which Faust takes no notice, here and below
            self.stop_flow()
            await self.owner.drain()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Take over also when it is nothing."""
        await super().on_partitions_assigned(assigned, generation_id)
        if not assigned:
            await self.perform_seek()

    async def perform_seek(self) -> None:
        """Start every assigned partition where its last committed conclusion ends, its memory restored."""
        epoch = self.epoch
        start = await self._taken_over(epoch)
        if epoch != self.epoch:
            return  # overtaken by the next rebalance, which starts over
        self.cursor = start  # before the seek: a fetch that is still under way is rewound to here
        if start:
            await self.seek_wait(start)

    async def _taken_over(self, epoch: int) -> dict[TP, int]:
        """Try until it succeeds: heartbeats go on meanwhile, and nobody else would get further."""
        while epoch == self.epoch:
            try:
                return dict(await self.owner.take_over(self.assignment()))
            except UnavailableError as error:
                log.warning("waiting for Kafka", why=str(error), pause_s=TAKE_OVER_AGAIN_S)
                await asyncio.sleep(TAKE_OVER_AGAIN_S)
        return {}

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109 - Faust's signature
        """Yield one message per partition that had records; its value is the chunk."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)  # type: ignore[arg-type]  # mode takes whatever has wait()
        self.polled_at = time.monotonic()
        epoch = self.epoch
        records = await self._fetch(timeout)
        if not records or self.should_stop:
            return
        if epoch != self.epoch or not self.flow_active:
            await self._rewind(records)
            return
        for tp, fetched in records.items():
            if epoch != self.epoch or not self.flow_active:
                return  # the rebalance under way seeks to the committed offsets
            if chunk := self._take(tp, fetched):
                yield tp, self._message(tp, chunk)

    async def _fetch(self, timeout: float) -> Mapping[TP, list[Any]]:  # noqa: ASYNC109 - Faust's signature
        await self._keep_pace()
        active = self._get_active_partitions() & self.cursor.keys()
        if not self.membership.is_fenced:
            active = set()  # the group had forgotten us before the news of this assignment came: another one follows
        free = {tp for tp in active if len(self.in_hand(tp)) < (2 if tp in self._full else 1)}
        if not free:
            await self._wait_for_free(IDLE_S)
            return {}
        epoch = self.epoch
        records: Mapping[TP, list[Any]] = await self._getmany(
            active_partitions=free, timeout=timeout if len(free) == len(active) else SHORT_POLL_MS / 1000
        )
        if records:
            self._next_fetch_at = time.monotonic() + PACE_S
        if epoch == self.epoch:
            self._note_passed(free - records.keys())
        return records

    def _note_passed(self, partitions: Iterable[TP]) -> None:
        """What came of these is nothing: up to where they are fetched next there are no records."""
        for tp in partitions:
            self.passed[tp] = cast(ConsumerThread, self._thread).stands(tp)[0] or 0

    async def _wait_for_free(self, seconds: float) -> None:
        self._freed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._freed.wait(), seconds)

    async def _keep_pace(self) -> None:
        """Under a trickle let records gather; a backlog is fetched without a pause."""
        pause = self._next_fetch_at - time.monotonic()
        if pause > 0 and not self._full:
            await asyncio.sleep(pause)

    def _take(self, tp: TP, fetched: list[Any]) -> Chunk | None:
        start = self.cursor[tp]
        records = fetched if fetched[0].offset >= start else [r for r in fetched if r.offset >= start]
        if not records:
            return None
        self.cursor[tp] = records[-1].offset + 1
        (self._full.add if len(records) >= FULL_CHUNK_RECORDS else self._full.discard)(tp)
        chunk = Chunk(
            topic=tp.topic,
            partition=tp.partition,
            start=start,
            records=records,
            membership=self.membership,
            epoch=self.epoch,
        )
        self._outstanding.setdefault(tp, []).append(chunk)
        return chunk

    def _message(self, tp: TP, chunk: Chunk) -> ConsumerMessage:
        last = chunk.records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            0,
            None,
            None,
            chunk,  # type: ignore[arg-type]  # Faust passes a value on as it is
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _rewind(self, records: Mapping[TP, Any]) -> None:
        """A rebalance overtook this fetch: for the partitions that are still ours, fetch it again."""
        self.rewinds += 1
        assigned = self.assignment()
        back = {tp: self.cursor[tp] for tp in records if tp in assigned and tp in self.cursor}
        if back:
            await self.seek_wait(back)

    async def _commit(self, offsets: Any) -> bool:  # noqa: ARG002 - Faust's signature
        return True  # the journal commits

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps between records are the cursor's business."""


class Transport(driver.Transport):
    """The driver with our consumer."""

    Consumer = Consumer


class ChunkSchema(faust.Schema[Any, Any]):
    """Passes a message's chunk on as it is: decoding records is the agents' business."""

    def compile(self, app: Any, **_: Any) -> Any:
        """The coroutine that turns a message into an event."""

        async def decode(message: Any, propagate: bool = False) -> Event:  # noqa: ARG001, FBT001, FBT002 - Faust's
            return Event(app, None, message.value, None, message)

        return decode
