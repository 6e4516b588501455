"""The messenger: sends of all lanes on their way to the App API, each kind over its own limit, and who waits for what.

How many of a lane are under way, and in which order, is the lane's; attempts and judgement are the senders'.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Protocol

from agents.ports import Errand
from schemas.delivery import Parcel, Verdict
from schemas.send_memory import SendKind
from schemas.translated import Send
from streams.progress import Progress, touch, worked_for


class Sender(Protocol):
    """Brings one send to Customer.io."""

    @property
    def is_held(self) -> bool:
        """Whether nothing goes for now."""

    @property
    def busy(self) -> AbstractSet[asyncio.Task[Any]]:
        """The tasks of which something is on the wire, or being written."""

    async def send(self, send: Send, errand: Errand, *, may_begin: Callable[[], bool]) -> Verdict:
        """The verdict, which the errand has concluded; nothing is begun once it may not."""


def _task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - whoever sends is a task
    return task


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    sender: Sender
    kind: SendKind
    errand: Errand
    task: "asyncio.Task[Any]" = field(default_factory=_task)
    lanes: "tuple[Progress, ...]" = field(default_factory=lambda: tuple(worked_for()))

    @property
    def is_busy(self) -> bool:
        return self.task in self.sender.busy


class Messenger:
    """`is_current` says of an assignment whether it lasts, `is_rate_tight` of a kind when hardly a request may go."""

    def __init__(
        self,
        senders: Mapping[SendKind, Sender],
        *,
        is_current: Callable[[int], bool],
        is_rate_tight: Callable[[SendKind], bool] = lambda _: False,
    ) -> None:
        self._senders = senders
        self._is_current = is_current
        self.is_rate_tight = is_rate_tight
        self._places: set[_Place] = set()

    async def send(self, parcel: Parcel, errand: Errand) -> Verdict:
        """The verdict, which has been concluded; waits as long as Customer.io is unavailable.

        Once its assignment is over nothing is begun: the lane is held, and may be given up.
        """
        send = parcel.send
        assert send is not None  # noqa: S101 - others go by the courier
        sender = self._senders[send.kind]
        place = _Place(sender, send.kind, errand)
        self._places.add(place)
        touch("waiting to send")
        try:
            return await sender.send(send, errand, may_begin=lambda: self._is_current(errand.epoch))
        finally:
            self._places.discard(place)

    def busy(self) -> set[Progress]:
        """The lanes of which a send is under way, or being concluded: to give one up would leave that open."""
        return {lane for place in self._places if place.is_busy for lane in place.lanes}

    def held(self, kind: SendKind | None = None) -> set[Progress]:
        """The lanes of which no send is under way, nor will be soon; those of one kind of send, where that is given."""
        return set(self._lanes(lambda place: kind in {None, place.kind} and self._is_held(place))) - self.busy()

    def in_line(self) -> set[Progress]:
        """The lanes that wait for their turn: at the breaker, or for the rate."""
        return set(self._lanes(lambda _: True)) - self.busy()

    def _lanes(self, wanted: Callable[[_Place], bool]) -> Iterator[Progress]:
        return (lane for place in self._places if wanted(place) for lane in place.lanes)

    def _is_held(self, place: _Place) -> bool:
        is_over = not self._is_current(place.errand.epoch)
        return is_over or place.sender.is_held or self.is_rate_tight(place.kind)
