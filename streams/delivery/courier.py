"""The courier: few requests, each with whatever all lanes have waiting.

Each lane's parcels stay in order, because the parts of one delivery go one after the other. Retries and judgement are
the sender's; the courier only shares.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agents.steps.pack import fits, pack
from schemas.delivery import Parcel, Verdict

SLOTS = 4  # requests under way at once
ANONYMOUS_SLOTS = 2  # beside those: anonymous events go singly, and must not keep everybody else waiting
LINGER_S = 0.003  # lanes that were fetched together share a request: wait while they still come in …
LINGERS_MAX = 10  # … but not for ever

Verdicts = list[Verdict]


class Sender(Protocol):
    """Brings one request's worth to Customer.io and does not give up for faults that are not the parcels'."""

    async def send_batch(self, parcels: Sequence[Parcel]) -> Verdicts:
        """One verdict for each parcel, in order."""

    async def send_anonymous(self, parcel: Parcel) -> Verdict:
        """The verdict on an anonymous event."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Parcels of one lane that travel in one request; `verdicts` is cancelled when the lane is abandoned."""

    parcels: Sequence[Parcel]
    size: int
    verdicts: "asyncio.Future[Verdicts]"


class Courier:
    """Takes what is waiting whenever one of its slots is free."""

    def __init__(self, sender: Sender, *, slots: int = SLOTS) -> None:
        self._sender = sender
        self._slots = asyncio.Semaphore(slots)
        self._anonymous_slots = asyncio.Semaphore(ANONYMOUS_SLOTS)
        self._waiting: list[_Part] = []
        self._wake = asyncio.Event()
        self._requests: set[asyncio.Task[None]] = set()

    async def deliver(self, parcels: Sequence[Parcel]) -> Verdicts:
        """Send all and return their verdicts in their order."""
        if not any(parcel.anonymous for parcel in parcels):
            return await self._deliver_batch(parcels)
        shared = [parcel for parcel in parcels if not parcel.anonymous]
        async with asyncio.TaskGroup() as group:
            batch = group.create_task(self._deliver_batch(shared))
            single = [group.create_task(self._deliver_anonymous(p)) for p in parcels if p.anonymous]
        batched, singly = iter(batch.result()), (task.result() for task in single)
        return [next(singly if parcel.anonymous else batched) for parcel in parcels]

    async def _deliver_batch(self, parcels: Sequence[Parcel]) -> Verdicts:
        verdicts: Verdicts = []
        for part, size in pack(parcels):  # one after the other: a person may stand in two parts
            waiting = _Part(part, size, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            self._wake.set()
            verdicts += await waiting.verdicts
        return verdicts

    async def _deliver_anonymous(self, parcel: Parcel) -> Verdict:
        async with self._anonymous_slots:
            return await self._sender.send_anonymous(parcel)

    async def run(self) -> None:
        """Send until cancelled; what is under way then is cancelled too."""
        try:
            while True:
                await self._wake.wait()
                await self._linger()
                await self._slots.acquire()
                parts = self._take()
                if parts:
                    self._start(self._send(parts), parts)
                else:
                    self._slots.release()
        finally:
            for request in self._requests:
                request.cancel()

    async def _linger(self) -> None:
        waiting = 0
        for _ in range(LINGERS_MAX):
            if len(self._waiting) == waiting:
                return
            waiting = len(self._waiting)
            await asyncio.sleep(LINGER_S)

    def _take(self) -> list[_Part]:
        self._waiting = [part for part in self._waiting if not part.verdicts.cancelled()]
        taken, size = 0, 0
        for part in self._waiting:
            if not fits(size, part.size):
                break
            taken, size = taken + 1, size + part.size
        parts, self._waiting = self._waiting[:taken], self._waiting[taken:]
        if not self._waiting:
            self._wake.clear()
        return parts

    def _start(self, request: Coroutine[Any, Any, None], parts: list[_Part]) -> None:
        task = asyncio.create_task(request)
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

        def cancel_if_abandoned(_: "asyncio.Future[Verdicts]") -> None:
            """A late request must not overtake the next owner's."""
            if all(part.verdicts.cancelled() for part in parts):
                task.cancel()

        for part in parts:
            part.verdicts.add_done_callback(cancel_if_abandoned)

    async def _send(self, parts: list[_Part]) -> None:
        try:
            verdicts = iter(await self._sender.send_batch([parcel for part in parts for parcel in part.parcels]))
        except asyncio.CancelledError:
            raise
        except Exception as exc:  # noqa: BLE001 - the lanes decide what an unforeseen error means: they crash
            for part in parts:
                if not part.verdicts.done():
                    part.verdicts.set_exception(exc)
        else:
            for part in parts:
                own = [next(verdicts) for _ in part.parcels]
                if not part.verdicts.done():
                    part.verdicts.set_result(own)
        finally:
            self._slots.release()
