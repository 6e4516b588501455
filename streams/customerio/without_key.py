"""What becomes of sends in a worker that has no key for the App API: a replay is refused, and says why."""

import asyncio
from collections.abc import Callable
from typing import Any

from agents.ports import Errand
from schemas.delivery import Verdict
from schemas.translated import Send

_DETAIL = "nothing was sent: this worker has no CUSTOMERIO_APP_API_KEY"


class WithoutKey:
    """Sends nothing."""

    is_held = False

    def __init__(self) -> None:
        self.busy: frozenset[asyncio.Task[Any]] = frozenset()

    async def send(self, send: Send, errand: Errand, *, may_begin: Callable[[], bool]) -> Verdict:  # noqa: ARG002 - the port's
        """Refuse it; its dead letter is written with the chunk."""
        return Verdict(accepted=False, status=None, attempts=0, detail=_DETAIL, reason="rejected")
