"""Turns: replays and live records of a partition wait for each other where they touch the same persons or events.

Whoever was there first goes first, so nobody waits for ever. Live lanes do not wait for one another.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from agents.ports import Keyed
from schemas.chunk import Chunk
from schemas.errors import FencedError
from streams.progress import Progress, touch, worked_for


@dataclass(slots=True, eq=False)
class _Turn:
    """One lane's, from the time it asked for it."""

    work: Keyed
    lanes: Sequence[Progress] = field(default_factory=worked_for)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def must_wait_for(self, earlier: "_Turn") -> bool:
        if earlier.work.is_replay is self.work.is_replay:
            return False
        return not self.work.keys().isdisjoint(earlier.work.keys())


class Turns:
    """Those of all partitions; nothing is kept of those that are over, but where one was given up.

    What a lane had sent of a chunk that it gave up is not remembered until the chunk comes again.
    """

    def __init__(self) -> None:
        self._turns: dict[int, list[_Turn]] = {}
        self._waiting: set[_Turn] = set()
        self._given_up: dict[tuple[int, bool], int] = {}  # (partition, is a replay) -> the last epoch

    @asynccontextmanager
    async def turn(self, chunk: Chunk, work: Keyed) -> AsyncIterator[None]:
        """Wait for every earlier turn of the other kind that has a key in common with this one.

        Raises:
            FencedError: one of the other kind was given up since the partition is ours, so this one comes again too.
        """
        turns = self._turns.setdefault(chunk.partition, [])
        turn = _Turn(work)
        earlier = [each for each in turns if turn.must_wait_for(each)]
        turns.append(turn)
        try:
            if earlier:
                await self._wait(turn, earlier)
            self._check(chunk, work)
            with self._noting_if_given_up(chunk, work):
                yield
        finally:
            turns.remove(turn)
            turn.over.set()

    async def _wait(self, turn: _Turn, earlier: Sequence[_Turn]) -> None:
        touch("waiting for its turn")
        self._waiting.add(turn)
        try:
            for each in earlier:
                await each.over.wait()
        finally:
            self._waiting.discard(turn)
        touch("its turn has come")

    def _check(self, chunk: Chunk, work: Keyed) -> None:
        if self._given_up.get((chunk.partition, not work.is_replay), -1) >= chunk.epoch:
            raise FencedError("work that may be on the same persons or events was given up, and comes again")

    @contextmanager
    def _noting_if_given_up(self, chunk: Chunk, work: Keyed) -> Iterator[None]:
        try:
            yield
        except (FencedError, asyncio.CancelledError):
            self._given_up[chunk.partition, work.is_replay] = chunk.epoch
            raise

    def in_line(self) -> set[Progress]:
        """The lanes that wait for others, which are watched themselves."""
        return {lane for turn in self._waiting for lane in turn.lanes}
