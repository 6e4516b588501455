"""The parts of a worker that send messages and trigger broadcasts, put together from the settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.send_memory import SendKind
from streams.customerio.app_api import AppClient
from streams.customerio.breaker import Standing
from streams.customerio.credentials import Credentials
from streams.customerio.http_client import Traced
from streams.customerio.senders import LIMITS, app_sender
from streams.customerio.without_key import WithoutKey
from streams.delivery.budgets import Budgets
from streams.delivery.lanes import Lanes
from streams.delivery.messenger import Messenger
from streams.kafka.lease import Lease
from streams.metrics.observers import Metrics
from streams.settings import APP_CREDENTIALS, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """The messenger, and what is told of it and closed with it."""

    messenger: Messenger
    breakers: Sequence[Standing]
    clients: Sequence[AppClient] = ()

    async def close(self) -> None:
        """Close the connections."""
        for client in self.clients:
            await client.close()


def build_sends(
    settings: Settings,
    budgets: Budgets,
    *,
    lease: Lease,
    metrics: Metrics,
    lanes: Callable[[], Lanes],
    traced: Traced | None = None,
) -> Sends:
    """Put them together; each limit of the App API has a breaker and a client of its own. `lanes` are made later."""

    def is_current(epoch: int) -> bool:
        return lanes().is_current(epoch)

    if settings.customerio_app_api_key is None:
        none = {kind: WithoutKey(api, metrics) for kind, api in LIMITS.items()}
        return Sends(messenger=Messenger(none, is_current=is_current), breakers=list(none.values()))
    clients: dict[SendKind, AppClient] = {kind: _client(settings, lease, traced) for kind in LIMITS}
    made = {
        kind: app_sender(
            kind,
            settings,
            client,
            metrics,
            admission=budgets.admissions[LIMITS[kind]],
            pace=budgets.throttles[LIMITS[kind]],
            reads=budgets.throttles["app"],
        )
        for kind, client in clients.items()
    }
    messenger = Messenger(
        made,
        is_current=is_current,
        is_rate_tight=lambda kind: budgets.throttles[LIMITS[kind]].rate_per_s * settings.drain_s < 1,
    )
    breakers = [sender.breaker for sender in made.values()]
    return Sends(messenger=messenger, breakers=breakers, clients=list(clients.values()))


def _client(settings: Settings, lease: Lease, traced: Traced | None) -> AppClient:
    return AppClient(
        settings.app_url,
        credentials=Credentials(settings, APP_CREDENTIALS),  # each of its own: a change is told once
        timeout_s=settings.request_timeout_s,
        permit=lease.acquire,
        traced=traced,
    )
