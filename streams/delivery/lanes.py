"""Lanes: one input partition each, one chunk at a time; bounded when they must end, watched for holes.

Knows nothing of what is done with a chunk: that is the pipeline's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

import structlog

from agents.plan import MakePlan
from schemas.chunk import Chunk
from schemas.errors import FencedError
from streams.progress import Progress, touch, work_for

REJOIN_S = 60.0  # several session timeouts
LOOK_S = 0.1  # a lane may become held while it drains
DEAF_S = 1.0  # for what does not end at once when it is cancelled

log = structlog.get_logger()


class HoleError(AssertionError):
    """The chunk does not start where the one before it ended: committing it would lose what lies between."""


class StalledError(AssertionError):
    """Nothing can move any more, and nobody else will notice: a new process starts from what is committed."""


class Works(Protocol):
    """What is done with a chunk."""

    async def process(self, chunk: Chunk, make_plan: MakePlan) -> None:
        """Return once every record of the chunk is concluded and committed.

        Raises:
            FencedError: the partition was taken away; the chunk is delivered again to its new owner.
        """


class Lanes:
    """The work in flight of this worker; `held` says for which of it there is nothing to wait."""

    def __init__(
        self,
        pipeline: Works,
        *,
        drain_s: float,
        is_ours: Callable[[], bool],
        crash: Callable[[BaseException], Awaitable[None]],
        held: Callable[[], AbstractSet[Progress]] = frozenset,
    ) -> None:
        self._pipeline = pipeline
        self._drain_s = drain_s
        self.is_ours = is_ours
        self.crash = crash
        self._held = held
        self._working: dict[asyncio.Task[None], Progress] = {}
        self._take_over: Progress | None = None
        self._expected: dict[tuple[str, int], tuple[int, int]] = {}  # (topic, partition) -> (epoch, next offset)
        self._epoch = 0
        self._drained_epoch = 0
        self._watch: asyncio.Future[None] | None = None

    async def handle(self, event: Any, make_plan: MakePlan) -> None:  # noqa: ANN401 - Faust's event
        """Run the pipeline on the event's chunk and acknowledge it; anything unforeseen ends the process.

        A chunk of an earlier assignment, or one that is abandoned or fenced, is delivered again: nothing is lost.
        """
        chunk: Chunk = event.message.value
        if chunk.epoch < self._epoch or not await self._finished(chunk, make_plan):
            return
        event.ack()

    async def _finished(self, chunk: Chunk, make_plan: MakePlan) -> bool:
        self._check_start(chunk)
        progress = Progress(of=_named(chunk), stage="planning")
        task = asyncio.create_task(self._work(chunk, make_plan, progress))
        self._working[task] = progress
        task.add_done_callback(self._working.pop)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.cancelled():
            return False
        error = task.exception()
        if isinstance(error, FencedError):
            self._fenced(chunk)
            return False
        if error is not None:
            await self.crash(error)
            raise error
        self._expected[chunk.topic, chunk.partition] = (chunk.epoch, chunk.next_offset)
        return True

    async def _work(self, chunk: Chunk, make_plan: MakePlan, progress: Progress) -> None:
        work_for([progress])
        await self._pipeline.process(chunk, make_plan)

    def _fenced(self, chunk: Chunk) -> None:
        """Drop what else came with this assignment: the rebalance that took it away must show up here too."""
        log.info("fenced", topic=chunk.topic, partition=chunk.partition, start=chunk.start)
        if self._epoch <= chunk.epoch:
            self._epoch = chunk.epoch + 1
            asyncio.get_running_loop().call_later(REJOIN_S, self._check_rejoined, chunk.epoch)

    def _check_rejoined(self, epoch: int) -> None:
        if self._drained_epoch <= epoch:
            error = StalledError(f"fenced {REJOIN_S:.0f} s ago, and the consumer group has not called for a rebalance")
            self._watch = asyncio.ensure_future(self.crash(error))

    def _check_start(self, chunk: Chunk) -> None:
        epoch, expected = self._expected.get((chunk.topic, chunk.partition), (-1, -1))
        if epoch == chunk.epoch and expected != chunk.start:
            raise HoleError(
                f"{chunk.topic}/{chunk.partition}: expected offset {expected}, the chunk starts at {chunk.start}"
            )

    def begin(self, epoch: int, starts: Mapping[tuple[str, int], int]) -> None:
        """These partitions are ours from this epoch on, each to be worked on from its offset."""
        self._expected = {place: (epoch, offset) for place, offset in starts.items()}
        self._take_over = None

    def is_current(self, epoch: int) -> bool:
        """Whether what came with this assignment may still be begun: no drain has been called for."""
        return epoch >= self._epoch

    def position(self, topic: str, partition: int) -> int:
        """The next offset without a committed conclusion, 0 before the first chunk."""
        return self._expected.get((topic, partition), (-1, 0))[1]

    def restoring(self) -> None:
        """The take-over has got on; in any thread."""
        if take_over := self._take_over:
            touch("restoring", [take_over])

    def working(self) -> Collection[Progress]:
        """How each chunk that is worked on gets on, and the take-over between two assignments."""
        return [*self._working.values(), *([self._take_over] if self._take_over else [])]

    async def drain(self, epoch: int) -> None:
        """Let chunks of epochs before `epoch` finish until the drain deadline, then abandon what is left.

        What is only held is abandoned at once: it would not get on, and nothing of it is under way.
        """
        self._epoch = max(self._epoch, epoch)
        self._drained_epoch = epoch
        self._take_over = Progress(of={"epoch": epoch}, stage="between assignments")
        late = await self._finish(set(self._working))
        if not late:
            return
        log.warning("abandoned at the drain deadline", lanes=len(late), drain_s=self._drain_s)
        for task in late:
            task.cancel()
        await asyncio.wait(late, timeout=DEAF_S)

    async def _finish(self, left: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._drain_s
        while left and self.is_ours() and (rest_s := deadline - loop.time()) > 0:
            self._give_up_held()
            _, left = await asyncio.wait(left, timeout=min(LOOK_S, rest_s))
        return left

    def _give_up_held(self) -> None:
        held = self._held()
        given_up = [task for task, progress in self._working.items() if progress in held and not task.cancelling()]
        for task in given_up:
            task.cancel()
        if given_up:
            log.info("given up what is held", lanes=len(given_up))


def _named(chunk: Chunk) -> Mapping[str, object]:
    return {"topic": chunk.topic, "partition": chunk.partition, "first": chunk.start, "last": chunk.next_offset - 1}
