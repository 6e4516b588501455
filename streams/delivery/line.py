"""A line before a few request slots: whenever one is free, a request takes what it can carry of those in front.

Knows neither what is in a request nor why one takes long.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from agents.steps.pack import fits
from schemas.delivery import Parcel, Verdict
from streams.progress import Progress, touch, work_for, worked_for

LINGER_S = 0.003  # lanes that were fetched together share a request: wait while they still come in …
LINGERS_MAX = 10  # … but not for ever

Verdicts = list[Verdict]
Place = tuple["asyncio.Task[None] | None", Progress]
Send = Callable[[Sequence[Parcel]], Awaitable[Verdicts]]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Parcels of one lane that travel in one request; `verdicts` is cancelled when the lane is abandoned."""

    parcels: Sequence[Parcel]
    size: int
    verdicts: "asyncio.Future[Verdicts]"
    lanes: Sequence[Progress]


class Line:
    """`send` brings what shares a request to Customer.io; parts share one only where `is_shared`."""

    def __init__(self, send: Send, *, slots: int, is_shared: bool) -> None:
        self._deliver = send
        self._waiting: list[Part] = []
        self._requests: dict[asyncio.Task[None], list[Part]] = {}
        self._slots_max = slots
        self._slots = asyncio.Semaphore(slots)
        self._is_shared = is_shared
        self._wake = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether somebody waits for the request in each slot: one that does not end when abandoned is a slot lost."""
        wanted = [parts for parts in self._requests.values() if not all(part.verdicts.done() for part in parts)]
        return len(wanted) >= self._slots_max

    def places(self) -> Iterator[Place]:
        """Every lane that has a part here, and the request that carries it: None while it stands in line."""
        carried = [(None, self._waiting), *self._requests.items()]
        return ((request, lane) for request, parts in carried for part in parts for lane in part.lanes)

    async def carry(self, parcels: Sequence[Parcel], size: int) -> Verdicts:
        """Stand in line with these, and return their verdicts."""
        touch("waiting for a request")
        part = Part(parcels, size, asyncio.get_running_loop().create_future(), worked_for())
        self._waiting.append(part)
        self._wake.set()
        return await part.verdicts

    async def run(self) -> None:
        """Send until cancelled; what is under way then is cancelled too."""
        try:
            while True:
                await self._wake.wait()
                if self._is_shared:
                    await self._linger()
                await self._slots.acquire()
                parts = self._take()
                if parts:
                    self._start(parts)
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

    def _take(self) -> list[Part]:
        self._waiting = [part for part in self._waiting if not part.verdicts.cancelled()]
        taken, size = 0, 0
        for part in self._waiting if self._is_shared else self._waiting[:1]:
            if not fits(size, part.size):
                break
            taken, size = taken + 1, size + part.size
        parts, self._waiting = self._waiting[:taken], self._waiting[taken:]
        if not self._waiting:
            self._wake.clear()
        return parts

    def _start(self, parts: list[Part]) -> None:
        request = asyncio.create_task(self._send(parts))
        self._requests[request] = parts
        request.add_done_callback(self._requests.pop)

        def cancel_if_abandoned(_: "asyncio.Future[Verdicts]") -> None:
            """A late request must not overtake the next owner's."""
            if all(part.verdicts.cancelled() for part in parts):
                request.cancel()

        for part in parts:
            part.verdicts.add_done_callback(cancel_if_abandoned)

    async def _send(self, parts: list[Part]) -> None:
        work_for([lane for part in parts for lane in part.lanes])
        touch("in a request")
        try:
            verdicts = iter(await self._deliver([parcel for part in parts for parcel in part.parcels]))
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
