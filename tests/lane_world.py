"""Lanes over a real courier and a real journal, on a sender and a writer of the test's own, in fake time."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack, cast

from agents.pipeline import Pipeline
from agents.plan import MakePlan
from schemas.chunk import Chunk
from schemas.delivery import Parcel
from streams.delivery.courier import Courier, Sender
from streams.delivery.journal import Journal
from streams.delivery.lanes import Lanes
from streams.delivery.turns import Turns
from streams.delivery.watchdog import Watchdog
from tests.builders import make_chunk, make_publication
from tests.fake_time import FakeTimeLoop
from tests.fakes import FakeSender, FakeWriter
from tests.unit.input_records import InputRecord

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
P = ParamSpec("P")

DRAIN_S = 5.0
STUCK_S = 120.0
REPLAY = "customerio-replay"


class NeverEndsError(Exception):
    """What a writer raises that a test lets hang."""


class LaneLoop(FakeTimeLoop):
    """Fake time in which what is given to a thread is done at once, or never comes back."""

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 - asyncio's signature
        func: Callable[[Unpack[Ts]], T],
        *args: *Ts,
    ) -> "asyncio.Future[T]":
        """Do it."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except NeverEndsError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is: the thread's business
            future.set_exception(error)
        return future


@dataclass(slots=True)
class _Work:
    """What all chunks of a partition touch is the same person."""

    is_replay: bool

    def keys(self) -> AbstractSet[str | bytes]:
        """That person's."""
        return {"u-1"}


@dataclass(slots=True)
class _Pipeline:
    """Delivers the parcels of a chunk's partition, then commits, when it is the chunk's turn."""

    turns: Turns
    courier: Courier
    journal: Journal
    parcels: dict[int, Sequence[Parcel]]

    async def process(self, chunk: Chunk, make_plan: MakePlan) -> None:  # noqa: ARG002 - the pipeline's signature
        """Work on it."""
        parcels = self.parcels.get(chunk.partition, [Parcel((b"{}",))])
        async with self.turns.turn(chunk, _Work(is_replay=chunk.topic == REPLAY)):
            if parcels:
                await self.courier.deliver(parcels)
            await self.journal.commit(make_publication(chunk))


@dataclass(slots=True)
class _Event:
    message: Any
    acked: bool = False

    def ack(self) -> None:
        """Note it."""
        self.acked = True


@dataclass(slots=True)
class _Message:
    value: Chunk


class LaneWorld:
    """`parcels` says what a partition's chunk is to deliver: one parcel by default, none commits at once.

    `track` is a sender that is no fake.
    """

    def __init__(
        self, *, slots: int = 4, stuck_s: float = STUCK_S, track: Sender | None = None, sender: FakeSender | None = None
    ) -> None:
        self.sender, self.writer = sender or FakeSender(), FakeWriter()
        self.is_ours, self.is_rate_tight = True, False
        self.parcels: dict[int, Sequence[Parcel]] = {}
        self.crashes: list[BaseException] = []
        self.stuck = 0
        self.courier = Courier(track or self.sender, slots=slots, is_rate_tight=lambda: self.is_rate_tight)
        self.journal = Journal(self.writer, observe=lambda _chunks, _seconds: None)
        self.turns = Turns()
        self.lanes = Lanes(
            cast(Pipeline, _Pipeline(self.turns, self.courier, self.journal, self.parcels)),
            drain_s=DRAIN_S,
            is_ours=lambda: self.is_ours,
            crash=self._crash,
            held=self.courier.held,
        )
        self.watchdog = Watchdog(
            self.lanes,
            in_line=[self.courier.in_line, self.journal.in_line, self.turns.in_line],
            stuck_s=stuck_s,
            count=self._count,
        )

    async def _crash(self, error: BaseException) -> None:
        self.crashes.append(error)

    def _count(self, lanes: int) -> None:
        self.stuck += lanes

    async def work(self, partition: int, *, epoch: int = 1, topic: str = "user-changes") -> bool:
        """Hand over a chunk of this partition; whether it was acknowledged."""
        event = _Event(_Message(make_chunk([InputRecord(topic=topic, partition=partition)], epoch=epoch)))
        await self.lanes.handle(event, cast(Any, None))
        return event.acked

    async def begin(self, *partitions: int) -> list["asyncio.Task[bool]"]:
        """Start on a chunk of each, and let it come as far as it does by itself."""
        works = [asyncio.create_task(self.work(partition)) for partition in partitions]
        await asyncio.sleep(0.5)
        return works

    async def begin_replay(self, partition: int) -> "asyncio.Task[bool]":
        """Start on a chunk of replays."""
        work = asyncio.create_task(self.work(partition, topic=REPLAY))
        await asyncio.sleep(0.5)
        return work

    async def drain(self) -> float:
        """Drain; how many seconds it took."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        await self.lanes.drain(2)
        return loop.time() - started

    async def rebalance(self) -> None:
        """Drain, and begin anew."""
        await self.lanes.drain(2)
        self.lanes.begin(2, {})

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run courier, journal and watchdog for the length of the `with`."""
        tasks = [asyncio.create_task(each.run()) for each in (self.courier, self.journal, self.watchdog)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.journal.close()


def lane_timed(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run a test that is a coroutine in fake time without threads."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with asyncio.Runner(loop_factory=LaneLoop) as runner:
            return runner.run(test(*args, **kwargs))

    return run
