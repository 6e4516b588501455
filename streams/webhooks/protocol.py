"""uvicorn's HTTP connection with what it lacks: time limits for requests that come slowly, and for their number."""

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.webhooks.observe import Cut, Observer

CONNECTIONS_MAX: Final = 2_000
HEAD_BYTES_MAX: Final = 16_384
ARRIVE_S: Final = 5.0
"""A request must be here within this time. Customer.io gives up after four seconds, and to it a connection that we cut
is worse than its own time-out: so it is always the first."""

EXCHANGE_S: Final = 10.0
"""From a request's first byte until its answer is taken."""


class PunctualProtocol(H11Protocol):
    """Ends connections that are late; one timer for each connection, that looks seldom, costs a request nothing."""

    def __init__(self, *arguments: Any, observer: Observer, **more: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **more)
        self.logger = _silent
        self._observer = observer
        self._since_s = self.loop.time()
        self._is_idle = True
        self._looking: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it is before its first request, or between two."""
        return self._is_idle and not self.transport.is_closing()

    @property
    def is_arriving(self) -> bool:
        """Whether a request has begun of which not all is here."""
        is_here = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        return not self._is_idle and not is_here and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Begin to watch, or end it where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX and not (self._close_an_idle_one() or self._cut_who_is_slow()):
            self._cut("too_many")
        else:
            self._looking = self.loop.call_later(ARRIVE_S, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """With its first byte a request's time begins."""
        if self._is_idle:
            self._is_idle, self._since_s = False, self.loop.time()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """A request is over; the next may be here already."""
        self._is_idle, self._since_s = True, self.loop.time()
        super().on_response_complete()
        if not self.cycle.response_complete:
            self._is_idle = False

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so where that still can be told."""
        self._observer.cut("not_http")
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:  # an answer has begun already
            self.transport.abort()

    def _look(self) -> None:
        late_s = self.loop.time() - self._since_s - self._limit_s()
        if late_s < 0:
            self._looking = self.loop.call_later(min(-late_s, ARRIVE_S), self._look)
        elif self._is_idle:
            self.timeout_keep_alive_handler()
        else:
            self._cut("slow")

    def _limit_s(self) -> float:
        if self._is_idle:
            return self.timeout_keep_alive
        return ARRIVE_S if self.is_arriving else EXCHANGE_S

    def _close_an_idle_one(self) -> bool:
        longest = self._longest([each for each in self._others() if each.is_idle])
        if longest is None:
            return False
        self._observer.cut("too_many")
        longest.timeout_keep_alive_handler()
        return True

    def _cut_who_is_slow(self) -> bool:
        longest = self._longest([each for each in self._others() if each.is_arriving])
        if longest is None:
            return False
        longest._cut("too_many")  # noqa: SLF001 - one of our own kind
        return True

    def _others(self) -> "Iterator[PunctualProtocol]":
        return (each for each in self.connections if isinstance(each, PunctualProtocol) and each is not self)

    @staticmethod
    def _longest(found: "list[PunctualProtocol]") -> "PunctualProtocol | None":
        return min(found, key=lambda each: each._since_s, default=None)  # noqa: SLF001 - as above

    def _cut(self, cause: Cut) -> None:
        self._observer.cut(cause)
        self.transport.abort()


def punctual(observer: Observer) -> Any:  # noqa: ANN401 - what uvicorn takes for a protocol's class
    """Give the protocol for uvicorn's `http`."""
    return partial(PunctualProtocol, observer=observer)


_silent = logging.getLogger("streams.webhooks.http")
_silent.setLevel(logging.CRITICAL)  # what uvicorn warns of is counted, and whoever sends it must not fill the log
