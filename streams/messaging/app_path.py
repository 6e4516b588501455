"""What is sent at once over the App API: the worker's own sender, within a deadline, and without an intent on Kafka."""

import random
from collections.abc import Mapping
from functools import partial
from typing import Final, cast

from agents.steps.translate_send import translate_message, translate_trigger
from schemas.answer import Answer, NoAnswer
from schemas.delivery import Verdict
from schemas.errors import AmbiguousSendError, InvalidInputError, RejectedError, StreamsError
from schemas.send_memory import SendKind
from schemas.transactional_message import Channel
from schemas.translated import Send, Unsendable
from streams.customerio.app_api import AppClient
from streams.customerio.app_sender import AppSender
from streams.customerio.breaker import APP_ADVICE, Breaker
from streams.customerio.wire import Wire
from streams.delivery.throttle import Throttle
from streams.kafka.topic_plan import TRANSACTIONAL_MESSAGES
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
        self._client = client
        breaker = Breaker(
            "send" if kind == "message" else "broadcast",
            first_pause_s=settings.retry_backoff_s,
            jitter=random.random,
            observer=metrics,
            has_news=client.credentials.changed,
            advice=APP_ADVICE,
        )
        wire = Wire(breaker, throttle, metrics)
        self._sender = AppSender(
            partial(_call, client),
            wire,
            pace=_Unpaced(),
            read=client.workspaces,
            reads=Wire(breaker, reads, metrics),
        )
        self._patience = Patience(wire, slots=SLOTS[kind], unanswered=_unanswered)

    async def send(self, draft: Draft, timeout_s: float) -> str:
        """Send it; Customer.io's name for it.

        Raises:
            StreamsError: it was not sent, or may have been.
        """
        translate = translate_message if draft.topic == TRANSACTIONAL_MESSAGES else translate_trigger
        send = translate(draft)
        if isinstance(send, Unsendable):
            raise InvalidInputError(send.detail)
        begin = partial(self._sender.send, send, _Unwritten(), may_begin=lambda: True)
        verdict = await self._patience.within(timeout_s, begin)
        if not verdict.accepted:
            raise _error_of(verdict)
        return verdict.delivery_id or ""

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


async def _call(client: AppClient, send: Send) -> Answer | NoAnswer:
    if send.kind == "message":
        return await client.send(cast("Channel", send.target), send.body)
    return await client.trigger(int(send.target), send.body)


def _error_of(verdict: Verdict) -> StreamsError:
    if verdict.reason == "ambiguous_send":
        return AmbiguousSendError(f"Customer.io does not tell whether it was sent: {verdict.detail}")
    return RejectedError(f"Customer.io refuses it: {verdict.detail}", status=verdict.status)


def _unanswered(what: str) -> StreamsError:
    return AmbiguousSendError(f"{what}: it may or may not have gone out")
