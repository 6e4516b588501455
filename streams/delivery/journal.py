"""The journal: conclusions of all lanes become durable together, in Kafka transactions fenced by the consumer group.

One transaction holds results, dead letters, ledger entries and the input offsets of every chunk that has concluded
since the last one: exactly one result per input record for whoever reads committed (KIP-447).
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

import structlog

from agents.ports import Publication
from schemas.chunk import Membership
from schemas.errors import FencedError, UnavailableError
from streams.progress import Progress, touch, worked_for

LINGER_S = 0.005  # lanes that conclude together share a transaction
RETRY_S = 1.0
RETRY_S_MAX = 10.0

log = structlog.get_logger()


class Writer(Protocol):
    """Writes one transaction, blocking."""

    def write(self, publications: Sequence[Publication], membership: Membership) -> None:
        """Return once all are committed; otherwise nothing of them is, or that is not known.

        Raises:
            FencedError: the group has moved on from this membership.
            UnavailableError: try again; what was committed after all is recognised then.
        """


@dataclass(slots=True, eq=False)
class _Waiting:
    publication: Publication
    lanes: Sequence[Progress] = field(default_factory=worked_for)
    done: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Journal:
    """Takes all that has gathered, whenever the writer is free."""

    def __init__(self, writer: Writer, *, observe: Callable[[int, float], None]) -> None:
        self._writer = writer
        self._observe = observe
        self._waiting: list[_Waiting] = []
        self._unwritten: set[_Waiting] = set()
        self._written: Sequence[_Waiting] = ()
        self._wake = asyncio.Event()
        self._is_pausing = False
        self._serials = count(1)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    async def commit(self, publication: Publication) -> None:
        """Return once the publication is committed, however long Kafka takes; FencedError when it never will be."""
        if not publication.chunk.membership.is_fenced:
            raise FencedError("the group has forgotten us, and would not check what we commit")
        touch("waiting for a transaction")
        waiting = _Waiting(replace(publication, serial=next(self._serials)))
        self._waiting.append(waiting)
        self._unwritten.add(waiting)
        self._wake.set()
        try:
            await waiting.done
        finally:
            self._unwritten.discard(waiting)

    def in_line(self) -> set[Progress]:
        """The lanes that wait until others' transaction is through, or for the next try of their own.

        Of a transaction that does not end although all its lanes are gone, nobody else would tell.
        """
        if not self._is_pausing and all(each.done.done() for each in self._written):
            return set()
        return {lane for each in self._unwritten.difference(self._written) for lane in each.lanes}

    def paused(self) -> set[Progress]:
        """The lanes that wait because a transaction has failed."""
        return {lane for each in self._unwritten for lane in each.lanes} if self._is_pausing else set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(LINGER_S)
            self._wake.clear()
            waiting, self._waiting = self._waiting, []
            waiting = [each for each in waiting if not each.done.cancelled()]
            for membership in dict.fromkeys(each.publication.chunk.membership for each in waiting):
                await self._write([w for w in waiting if w.publication.chunk.membership == membership], membership)

    async def _write(self, waiting: list[_Waiting], membership: Membership) -> None:
        loop = asyncio.get_running_loop()
        pause_s = RETRY_S
        started = loop.time()
        while waiting := [each for each in waiting if not each.done.cancelled()]:
            try:
                await self._write_once(waiting, membership)
            except FencedError as exc:
                _finish(waiting, exc)
                return
            except UnavailableError as exc:
                log.warning("transaction failed, trying again", error=str(exc), chunks=len(waiting), pause_s=pause_s)
                self._is_pausing = True
                await asyncio.sleep(pause_s)
                self._is_pausing = False
                pause_s = min(2 * pause_s, RETRY_S_MAX)
            else:
                self._observe(len(waiting), loop.time() - started)
                _finish(waiting, None)
                return

    async def _write_once(self, waiting: Sequence[_Waiting], membership: Membership) -> None:
        self._written = waiting
        touch("in a transaction", [lane for each in waiting for lane in each.lanes])
        publications = [each.publication for each in waiting]
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.write, publications, membership)
        finally:
            self._written = ()

    def close(self) -> None:
        """Stop writing; a transaction that is still open is aborted by the broker."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _finish(waiting: list[_Waiting], error: Exception | None) -> None:
    for each in waiting:
        if each.done.done():
            continue
        if error is None:
            each.done.set_result(None)
        else:
            each.done.set_exception(error)
