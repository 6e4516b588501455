"""The parts of a worker that send messages and trigger broadcasts, put together from the settings."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from schemas.answer import Answer, NoAnswer
from schemas.send_memory import SendKind
from schemas.transactional_message import Channel
from schemas.translated import Send
from streams.customerio.app_api import AppClient
from streams.customerio.app_sender import AppSender
from streams.customerio.breaker import APP_ADVICE, Breaker
from streams.customerio.credentials import Credentials
from streams.customerio.wire import Wire
from streams.customerio.without_key import WithoutKey
from streams.delivery.budgets import Api, Budgets
from streams.delivery.lanes import Lanes
from streams.delivery.messenger import Messenger, Sender
from streams.kafka.lease import Lease
from streams.metrics import Metrics
from streams.settings import APP_CREDENTIALS, Settings

API: Final[dict[SendKind, Api]] = {"message": "send", "trigger": "broadcast"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """The messenger, and what is told of it and closed with it; without a key nothing but the messenger."""

    messenger: Messenger
    breakers: Sequence[Breaker] = ()
    clients: Sequence[AppClient] = ()

    async def close(self) -> None:
        """Close the connections."""
        for client in self.clients:
            await client.close()


def build_sends(
    settings: Settings, budgets: Budgets, *, lease: Lease, metrics: Metrics, lanes: Callable[[], Lanes]
) -> Sends:
    """Put them together; each limit of the App API has a breaker and a client of its own. `lanes` are made later."""

    def is_current(epoch: int) -> bool:
        return lanes().is_current(epoch)

    if settings.customerio_app_api_key is None:
        senders: dict[SendKind, Sender] = {"message": WithoutKey(), "trigger": WithoutKey()}
        return Sends(messenger=Messenger(senders, is_current=is_current))
    clients: dict[SendKind, AppClient] = {kind: _client(settings, lease) for kind in API}
    made = {kind: _sender(settings, kind, client, budgets, metrics) for kind, client in clients.items()}
    messenger = Messenger(
        made,
        is_current=is_current,
        is_rate_tight=lambda kind: budgets.throttles[API[kind]].rate_per_s * settings.drain_s < 1,
    )
    breakers = [sender.breaker for sender in made.values()]
    return Sends(messenger=messenger, breakers=breakers, clients=list(clients.values()))


def _client(settings: Settings, lease: Lease) -> AppClient:
    return AppClient(
        settings.app_url,
        credentials=Credentials(settings, APP_CREDENTIALS),  # each of its own: a change is told once
        timeout_s=settings.request_timeout_s,
        permit=lease.acquire,
    )


def _sender(settings: Settings, kind: SendKind, client: AppClient, budgets: Budgets, metrics: Metrics) -> AppSender:
    breaker = Breaker(
        API[kind],
        first_pause_s=settings.retry_backoff_s,
        jitter=random.random,
        observer=metrics,
        has_news=client.credentials.changed,
        advice=APP_ADVICE,
    )

    async def call(send: Send) -> Answer | NoAnswer:
        if send.kind == "message":
            return await client.send(cast(Channel, send.target), send.body)
        return await client.trigger(int(send.target), send.body)

    return AppSender(
        call,
        Wire(breaker, budgets.admissions[API[kind]], metrics),
        pace=budgets.throttles[API[kind]],
        read=client.workspaces,
        reads=Wire(breaker, budgets.throttles["app"], metrics),
    )
