"""The courier: few requests, each with whatever all lanes have waiting.

Each lane's parcels stay in order, because the parts of one delivery go one after the other. Retries and judgement are
the sender's; the courier only shares.
"""

import asyncio
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from agents.steps.pack import pack
from schemas.delivery import Parcel, Verdict
from streams.delivery.line import Line, Place, Verdicts
from streams.progress import Progress

SLOTS = 4  # requests under way at once
ANONYMOUS_SLOTS = 2  # beside those: anonymous events go singly, and must not keep everybody else waiting


class Sender(Protocol):
    """Brings one request's worth to Customer.io and does not give up for faults that are not the parcels'."""

    @property
    def is_held(self) -> bool:
        """Whether nothing goes for now."""

    @property
    def on_wire(self) -> AbstractSet[asyncio.Task[Any]]:
        """The tasks that are inside a request."""

    @property
    def waiting(self) -> AbstractSet[asyncio.Task[Any]]:
        """The tasks that wait to try, or to try again, for another reason than the rate."""

    async def send_batch(self, parcels: Sequence[Parcel]) -> Verdicts:
        """One verdict for each parcel, in order."""

    async def send_anonymous(self, parcel: Parcel) -> Verdict:
        """The verdict on an anonymous event."""


class Courier:
    """Takes what is waiting whenever one of its slots is free; `is_rate_tight` says when hardly a request may go."""

    def __init__(
        self, sender: Sender, *, slots: int = SLOTS, is_rate_tight: Callable[[], bool] = lambda: False
    ) -> None:
        self._sender = sender
        self.is_rate_tight = is_rate_tight
        self._batches = Line(sender.send_batch, slots=slots, is_shared=True)
        self._singles = Line(self._send_single, slots=ANONYMOUS_SLOTS, is_shared=False)
        self._lines = (self._batches, self._singles)

    async def deliver(self, parcels: Sequence[Parcel]) -> Verdicts:
        """Send all and return their verdicts in their order."""
        if not any(parcel.anonymous for parcel in parcels):
            return await self._deliver_batch(parcels)
        shared = [parcel for parcel in parcels if not parcel.anonymous]
        async with asyncio.TaskGroup() as group:
            batch = group.create_task(self._deliver_batch(shared))
            single = [group.create_task(self._singles.carry([p], 0)) for p in parcels if p.anonymous]
        batched, singly = iter(batch.result()), (task.result()[0] for task in single)
        return [next(singly if parcel.anonymous else batched) for parcel in parcels]

    async def _deliver_batch(self, parcels: Sequence[Parcel]) -> Verdicts:
        verdicts: Verdicts = []
        for part, size in pack(parcels):  # one after the other: a person may stand in two parts
            verdicts += await self._batches.carry(part, size)
        return verdicts

    async def _send_single(self, parcels: Sequence[Parcel]) -> Verdicts:
        return [await self._sender.send_anonymous(parcel) for parcel in parcels]

    async def run(self) -> None:
        """Send until cancelled; what is under way then is cancelled too."""
        async with asyncio.TaskGroup() as group:
            for line in self._lines:
                group.create_task(line.run())

    def held(self) -> set[Progress]:
        """The lanes of which nothing is on the wire, and which the API or the rate lets go on nobody knows when."""
        sender, places = self._sender, self._places()
        is_held = sender.is_held or self.is_rate_tight()
        kept = {lane for request, lane in places if is_held or request in sender.waiting}
        return kept - {lane for request, lane in places if request in sender.on_wire}

    def in_line(self) -> set[Progress]:
        """The lanes that wait for their turn: for a slot, at the breaker, in a pause, or for the rate."""
        on_wire = self._sender.on_wire
        queued = {lane for line in self._lines if line.is_full for request, lane in line.places() if request is None}
        return queued | {lane for request, lane in self._places() if request and request not in on_wire}

    def _places(self) -> list[Place]:
        return [place for line in self._lines for place in line.places()]
