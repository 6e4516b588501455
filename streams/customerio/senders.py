"""The senders, put together from the settings: what workers, services and rehearsals send with is the same.

Each has a breaker of its own; how fast it may send is for whoever wants it to say.
"""

import random
from collections.abc import Mapping
from typing import Final, Literal, Protocol, cast

from schemas.send_memory import SendKind
from schemas.transactional_message import Channel
from schemas.translated import Send
from streams.customerio.app_api import AppClient
from streams.customerio.app_sender import AppSender
from streams.customerio.breaker import APP_ADVICE, Breaker, BreakerObserver
from streams.customerio.region import describe_region
from streams.customerio.sender import TrackSender
from streams.customerio.track import TrackClient
from streams.customerio.wire import Limiter, RequestObserver, Response, Wire
from streams.settings import Settings

LIMITS: Final[Mapping[SendKind, Literal["send", "broadcast"]]] = {"message": "send", "trigger": "broadcast"}
"""Which limit of the App API a kind of send counts for."""


class Observer(BreakerObserver, RequestObserver, Protocol):
    """Counts requests, and when they are held."""


def track_sender(settings: Settings, client: TrackClient, limiter: Limiter, observer: Observer) -> TrackSender:
    """Give the sender of the Track API."""
    breaker = Breaker(
        "track",
        first_pause_s=settings.retry_backoff_s,
        jitter=random.random,
        observer=observer,
        has_news=client.credentials.changed,
    )
    return TrackSender(
        client,
        Wire(breaker, limiter, observer),
        attempts_max=settings.retry_attempts,
        backoff_s=settings.retry_backoff_s,
        jitter=random.random,
        describe_region=lambda answer: describe_region(answer, settings),
    )


def app_sender(
    kind: SendKind,
    settings: Settings,
    client: AppClient,
    observer: Observer,
    *,
    admission: Limiter,
    pace: Limiter,
    reads: Limiter,
) -> AppSender:
    """Give the sender of one kind, over its limit of the App API; `reads` is the rate of harmless reads."""
    breaker = Breaker(
        LIMITS[kind],
        first_pause_s=settings.retry_backoff_s,
        jitter=random.random,
        observer=observer,
        has_news=client.credentials.changed,
        advice=APP_ADVICE,
    )

    async def call(send: Send) -> Response:
        if send.kind == "message":
            return await client.send(cast(Channel, send.target), send.body)
        return await client.trigger(int(send.target), send.body)

    wire, reading = Wire(breaker, admission, observer), Wire(breaker, reads, observer, api="app")
    return AppSender(call, wire, pace=pace, read=client.workspaces, reads=reading)
