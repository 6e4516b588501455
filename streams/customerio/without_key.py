"""What becomes of sends in a worker that has no key for the App API: replays of them wait, until a worker has one.

The fault is not theirs, so there is no dead letter; what a replay lane holds back meanwhile is in the README.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, NoReturn

import structlog

from agents.ports import Errand
from schemas.translated import Send
from streams.customerio.breaker import BreakerObserver, Reason, State

REASON: Final = "no_key"

log = structlog.get_logger()


class WithoutKey:
    """Sends nothing; of its breaker it has what is told of one, open while a replay waits."""

    is_held = True

    def __init__(self, api: str, observer: BreakerObserver) -> None:
        self.api = api
        self.busy: frozenset[asyncio.Task[Any]] = frozenset()
        self._observer = observer
        self._waiting = 0

    @property
    def state(self) -> State:
        """Whether anything is held."""
        return "open" if self._waiting else "closed"

    @property
    def reason(self) -> Reason:
        """Why."""
        return REASON if self._waiting else ""

    async def send(self, send: Send, errand: Errand, *, may_begin: Callable[[], bool]) -> NoReturn:  # noqa: ARG002 - the port's
        """Wait until the lane is given up; nothing is written of it."""
        if not self._waiting:
            self._tell()
        self._waiting += 1
        try:
            while True:
                await asyncio.Event().wait()
        finally:
            self._waiting -= 1

    def _tell(self) -> None:
        self._observer.held(self.api, REASON)
        log.error(
            "Customer.io is held",
            api=self.api,
            reason=REASON,
            cause="a replayed message or broadcast waits, and this worker has no CUSTOMERIO_APP_API_KEY",
            advice="start all workers with CUSTOMERIO_APP_API_KEY; it goes on by itself then",
        )
