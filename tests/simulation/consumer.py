"""A worker's consumer on the simulated Kafka: joins, beats, fetches chunks, hands them to lanes, and gives them back.

It does what `streams/kafka/transport.py`, Faust and aiokafka do together, in the same order, without any of them.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from faust.types import TP

from schemas.chunk import Chunk, Membership
from streams.kafka.lease import Lease
from tests.simulation.kafka import INPUTS, Broker

HEARTBEAT_S = 3.0
KAFKA_S = 0.01  # there and back
RETRY_S = 0.5
NOBODY = Membership(-1, "")


class Owner(Protocol):
    """The worker's side of an assignment."""

    async def take_over(self, partitions: Iterable[TP]) -> Mapping[TP, int]: ...  # noqa: D102
    async def drain(self) -> None: ...  # noqa: D102


@dataclass(slots=True, kw_only=True)
class Link:
    """The way to Kafka; which may be cut."""

    broker: Broker
    is_cut: bool = False


class _Message(NamedTuple):
    value: Chunk


@dataclass(slots=True)
class Event:
    """What a lane is handed; `ack` when it is done."""

    message: _Message
    ack: Callable[[], None]


Handle = Callable[[Any], Awaitable[None]]


class Consumer:
    """`chunk_max` records are one chunk; a partition that had so many may have two of them outstanding."""

    def __init__(self, name: str, link: Link, lease: Lease, *, chunk_max: int) -> None:
        self.epoch = 0
        self.membership = NOBODY
        self.owner: Owner
        self.handles: Mapping[str, Handle]
        self.failed: Callable[[BaseException], Awaitable[None]]
        self._name = name
        self._link = link
        self._lease = lease
        self._chunk_max = chunk_max
        self._member_id = ""
        self._cursor: dict[TP, int] = {}
        self._outstanding: Counter[TP] = Counter()
        self._full: set[TP] = set()
        self._freed = asyncio.Event()
        self._must_join = asyncio.Event()
        self._queues: dict[TP, asyncio.Queue[Event]] = {}
        self._actors: dict[TP, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Be a member, and start over whenever the group says so, until cancelled."""
        tasks = {"fetch": asyncio.create_task(self._fetch())}
        try:
            while True:
                await self._kafka()
                self._must_join.clear()
                self._member_id, joined = self._link.broker.group.join(self._member_id, self._name)
                self.membership, partitions = await joined
                if "take over" in tasks:
                    tasks["take over"].cancel()  # not before: what a rebalance overtakes finds out by its epoch
                await self._renew()
                tasks["beat"] = asyncio.create_task(self._beat())
                tasks["take over"] = asyncio.create_task(self._assigned(partitions, self.epoch))
                await self._must_join.wait()
                await self.give_back()
                tasks["beat"].cancel()
        finally:
            for task in (*tasks.values(), *self._actors.values()):
                task.cancel()

    async def _kafka(self) -> None:
        await asyncio.sleep(KAFKA_S)
        while self._link.is_cut:  # noqa: ASYNC110 - the outside sets no events
            await asyncio.sleep(RETRY_S)

    async def _beat(self) -> None:
        while self._member_id:
            await asyncio.sleep(HEARTBEAT_S)
            await self._renew()

    async def _renew(self) -> None:
        """One heartbeat."""
        asked_at_s = self._lease.now_s()
        await asyncio.sleep(KAFKA_S / 2)
        if self._link.is_cut:
            return
        beat = self._link.broker.group.beat(Membership(self.membership.generation, self._member_id))
        await asyncio.sleep(KAFKA_S / 2)
        if beat == "unknown":
            self._lease.end()
            self._member_id = ""
        else:
            self._lease.renew(asked_at_s)
        if beat != "member":
            self._must_join.set()

    async def _assigned(self, numbers: Iterable[int], epoch: int) -> None:
        if epoch != self.epoch:
            return  # overtaken before it began
        partitions = {TP(topic, p) for p in numbers for topic in INPUTS}
        for tp in self._actors.keys() - partitions:
            self._actors.pop(tp).cancel()
        for tp in sorted(partitions - self._actors.keys()):
            self._queues[tp] = asyncio.Queue()
            self._actors[tp] = asyncio.create_task(self._act(tp))
        start = dict(await self.owner.take_over(partitions))
        if epoch == self.epoch:
            self._cursor = start
            self._freed.set()

    async def give_back(self) -> None:
        """Stop fetching, and let the work in flight end or be abandoned."""
        self.epoch += 1
        self._outstanding.clear()
        self._full.clear()
        self._cursor = {}
        for tp in self._actors:
            while not self._queues[tp].empty():
                self._queues[tp].get_nowait()
        await self.owner.drain()

    def leave(self) -> None:
        """Tell the group that we end."""
        if self._member_id and not self._link.is_cut:
            self._link.broker.group.leave(self._member_id)

    async def _fetch(self) -> None:
        while True:
            epoch, broker = self.epoch, self._link.broker
            free = [tp for tp in sorted(self._cursor) if self._outstanding[tp] < (2 if tp in self._full else 1)]
            self._freed.clear()
            news = broker.news
            found = {tp: broker.after((tp.topic, tp.partition), self._cursor[tp], self._chunk_max) for tp in free}
            if self._link.is_cut or not any(found.values()):
                await self._wait(news)
                continue
            await asyncio.sleep(KAFKA_S)
            for tp, records in found.items():
                if epoch == self.epoch and records and not self._link.is_cut:
                    self._hand_out(tp, records)

    async def _wait(self, news: asyncio.Event) -> None:
        """Until there is something to fetch, or somebody to fetch it for."""
        waits = [asyncio.create_task(event.wait()) for event in (news, self._freed)]
        try:
            await asyncio.wait(waits, timeout=RETRY_S if self._link.is_cut else None, return_when="FIRST_COMPLETED")
        finally:
            for wait in waits:
                wait.cancel()

    def _hand_out(self, tp: TP, records: list[Any]) -> None:
        chunk = Chunk(
            topic=tp.topic,
            partition=tp.partition,
            start=self._cursor[tp],
            records=records,
            membership=self.membership,
            epoch=self.epoch,
        )
        self._cursor[tp] = chunk.next_offset
        self._outstanding[tp] += 1
        (self._full.add if len(records) >= self._chunk_max else self._full.discard)(tp)
        self._queues[tp].put_nowait(Event(_Message(chunk), lambda: self._done(tp, chunk)))

    def _done(self, tp: TP, chunk: Chunk) -> None:
        if chunk.epoch == self.epoch:
            self._outstanding[tp] -= 1
            self._freed.set()

    async def _act(self, tp: TP) -> None:
        """One chunk of a partition at a time."""
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                event = await self._queues[tp].get()
                try:
                    await self.handles[tp.topic](event)
                except Exception as exc:  # noqa: BLE001 - whatever it is, it ends a real worker
                    await self.failed(exc)
