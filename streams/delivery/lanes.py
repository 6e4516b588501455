"""Lanes: one input partition each, one chunk at a time; bounded when they must end, watched for holes.

Knows nothing of what is done with a chunk: that is the pipeline's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from agents.pipeline import MakePlan, Pipeline
from schemas.chunk import Chunk
from schemas.errors import FencedError

REJOIN_S = 60.0  # several session timeouts

log = structlog.get_logger()


class HoleError(AssertionError):
    """The chunk does not start where the one before it ended: committing it would lose what lies between."""


class StalledError(AssertionError):
    """Nothing can move any more, and nobody else will notice: a new process starts from what is committed."""


class Lanes:
    """The work in flight of this worker."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        drain_s: float,
        is_ours: Callable[[], bool],
        crash: Callable[[BaseException], Awaitable[None]],
    ) -> None:
        self._pipeline = pipeline
        self._drain_s = drain_s
        self._is_ours = is_ours
        self._crash = crash
        self._working: set[asyncio.Task[None]] = set()
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
        task = asyncio.create_task(self._pipeline.process(chunk, make_plan))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
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
            await self._crash(error)
            raise error
        self._expected[chunk.topic, chunk.partition] = (chunk.epoch, chunk.next_offset)
        return True

    def _fenced(self, chunk: Chunk) -> None:
        """Drop what else came with this assignment: the rebalance that took it away must show up here too."""
        log.info("fenced", topic=chunk.topic, partition=chunk.partition, start=chunk.start)
        if self._epoch <= chunk.epoch:
            self._epoch = chunk.epoch + 1
            asyncio.get_running_loop().call_later(REJOIN_S, self._check_rejoined, chunk.epoch)

    def _check_rejoined(self, epoch: int) -> None:
        if self._drained_epoch <= epoch:
            error = StalledError(f"fenced {REJOIN_S:.0f} s ago, and the consumer group has not called for a rebalance")
            self._watch = asyncio.ensure_future(self._crash(error))

    def _check_start(self, chunk: Chunk) -> None:
        epoch, expected = self._expected.get((chunk.topic, chunk.partition), (-1, -1))
        if epoch == chunk.epoch and expected != chunk.start:
            raise HoleError(
                f"{chunk.topic}/{chunk.partition}: expected offset {expected}, the chunk starts at {chunk.start}"
            )

    def begin(self, epoch: int, starts: Mapping[tuple[str, int], int]) -> None:
        """These partitions are ours from this epoch on, each to be worked on from its offset."""
        self._expected = {place: (epoch, offset) for place, offset in starts.items()}

    def position(self, topic: str, partition: int) -> int:
        """The next offset without a committed conclusion, 0 before the first chunk."""
        return self._expected.get((topic, partition), (-1, 0))[1]

    async def drain(self, epoch: int) -> None:
        """Let chunks of epochs before `epoch` finish until the drain deadline, then abandon what is left."""
        self._epoch = max(self._epoch, epoch)
        self._drained_epoch = epoch
        if not self._working:
            return
        drain_s = self._drain_s if self._is_ours() else 0  # what is another's already must not be worked on
        _, late = await asyncio.wait(self._working, timeout=drain_s)
        if not late:
            return
        log.warning("abandoned at the drain deadline", lanes=len(late), drain_s=drain_s)
        for task in late:
            task.cancel()
        await asyncio.wait(late, timeout=1)
