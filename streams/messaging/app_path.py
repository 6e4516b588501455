"""What is sent at once over the App API: the worker's own sender, within a deadline, and without an intent on Kafka."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from agents.translations import SENDS
from schemas.answer import Answer
from schemas.delivery import Verdict
from schemas.errors import AmbiguousSendError, InvalidInputError, RejectedError, StreamsError, UnauthorisedError
from schemas.send_memory import SendKind
from schemas.translated import Unsendable
from streams.customerio.app_api import REFUSALS, AppClient
from streams.customerio.app_check import app_fault
from streams.customerio.senders import app_sender
from streams.delivery.throttle import Throttle
from streams.messaging.drafts import Draft
from streams.messaging.observe import MessagingMetrics
from streams.messaging.patience import Patience
from streams.settings import Settings

SLOTS: Final[Mapping[SendKind, int]] = {"message": 50, "trigger": 1}
"""Requests at once: so many are under way at 100 a second when each takes half a second."""


class AppPath:
    """One kind of send, over its own limit; `reads` is the rate of the harmless questions that follow a doubt."""

    def __init__(
        self,
        kind: SendKind,
        settings: Settings,
        client: AppClient,
        metrics: MessagingMetrics,
        *,
        throttle: Throttle,
        reads: Throttle,
    ) -> None:
        self._settings = settings
        self._client = client
        self._sender = app_sender(kind, settings, client, metrics, admission=throttle, pace=_Unpaced(), reads=reads)
        self._patience = Patience(self._sender.wire, slots=SLOTS[kind], unanswered=_unanswered)

    async def send(self, draft: Draft, timeout_s: float) -> str:
        """Send it; Customer.io's name for it.

        Raises:
            StreamsError: it was not sent, or may have been.
        """
        send = SENDS[draft.topic](draft)
        if isinstance(send, Unsendable):
            raise InvalidInputError(send.detail)
        begin = partial(self._sender.send, send, _Unwritten(), may_begin=lambda: True)
        verdict = await self._patience.within(timeout_s, begin)
        if not verdict.accepted:
            raise _error_of(verdict)
        return verdict.delivery_id or ""

    async def check_key(self) -> None:
        """Ask with a harmless read whether the API takes our key; what cannot be known yet is no hindrance.

        Raises:
            UnauthorisedError: it does not: another region's host knows no key of ours either.
        """
        answer = await self._client.workspaces()
        if isinstance(answer, Answer) and answer.status in REFUSALS:
            raise UnauthorisedError(f"{app_fault(answer, self._settings)}: is it this region's?")

    async def close(self) -> None:
        """End what is under way, and close the connections."""
        self._patience.close()
        await self._client.close()


class _Unwritten:
    """An errand of which nothing is written: who calls hears what became of it, and nobody else does."""

    epoch = 0

    async def intend(self) -> None:
        """It goes out at once."""

    async def withdraw(self) -> None:
        """It did not go out, and will be tried again."""

    async def conclude(self, verdict: Verdict) -> None:
        """The verdict is the answer."""


class _Unpaced:
    """Nothing comes between the rate and the request here, so there is nothing to spread again."""

    async def acquire(self) -> None:
        """At once."""


def _error_of(verdict: Verdict) -> StreamsError:
    if verdict.reason == "ambiguous_send":
        return AmbiguousSendError(f"Customer.io does not tell whether it was sent: {verdict.detail}")
    return RejectedError(f"Customer.io refuses it: {verdict.detail}", status=verdict.status)


def _unanswered(what: str) -> StreamsError:
    return AmbiguousSendError(f"{what}: it may or may not have gone out")
