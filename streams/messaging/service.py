"""`MessagingService`: Customer.io for application code, at once and without Kafka; each operation has a deadline."""

import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self, Unpack

import httpx
from prometheus_client import CollectorRegistry

from agents.plans.domain_events import DomainEventsPlan
from agents.plans.user_changes import UserChangesPlan
from agents.steps.translate_change import simple_body
from schemas.delivery import Parcel
from schemas.errors import ConfigError, InvalidInputError
from schemas.transactional_message import Channel
from streams.clock import now_ms
from streams.messaging.account import Account, Rates, settings_of
from streams.messaging.checks import check
from streams.messaging.drafts import Draft, Time, UserFields, deleted, event, message, opted_out, trigger, upserted
from streams.messaging.observe import OnError, OnOperation, Watch, metrics_in
from streams.messaging.paths import Paths, open_paths
from streams.messaging.timeouts import timeout_of

TIMEOUT_S: Final = 10.0
BROADCAST_TIMEOUT_S: Final = 30.0  # Customer.io allows one in ten seconds


class MessagingService:
    """Says things to Customer.io at once; an async context manager, used by any number of tasks of one event loop.

    `rates` are this service's own, outside the fleet's share: workers do not know of it, so leave room for it.
    Every operation ends within `timeout_s`, its own or the service's, with what became of it or with a StreamsError
    whose class says what to do. Operations on one person that wait for each other keep their order; nothing is
    remembered, so what is said twice is sent twice.
    `on_operation` is called after each, `on_error` also after each that failed, on the event loop; what they raise is
    logged and changes nothing. Metrics go to `registry`, or to one of the service's own. `transport` takes the
    network's place in tests.
    """

    def __init__(
        self,
        account: Account,
        rates: Rates,
        *,
        timeout_s: float = TIMEOUT_S,
        registry: CollectorRegistry | None = None,
        on_operation: OnOperation | None = None,
        on_error: OnError | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        settings_of(account, rates)  # what is wrong with them is told here
        self.registry = registry or CollectorRegistry()
        self._account = account
        self._rates = rates
        self._timeout_s = timeout_of(timeout_s, fault=ConfigError)
        self._watch = Watch(metrics_in(self.registry), on_operation, on_error)
        self._transport = transport
        self._paths: Paths | None = None

    async def __aenter__(self) -> Self:
        """Open the APIs that rates were given for; a wrong region or refused credentials are told here.

        Of the region the Track API tells; without it, the App API is asked whether it takes the key.
        """
        self._paths = await open_paths(self._account, self._rates, self._watch.metrics, transport=self._transport)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections; operations that are still under way fail."""
        if self._paths:
            await self._paths.close()

    async def identify(
        self, user_id: str | int, *, timeout_s: float | None = None, **fields: Unpack[UserFields]
    ) -> None:
        """Say some or all fields of a user, and that they were seen now, or at `occurred_at`.

        Both opt-ins false say `suppress` instead, as everywhere. Customer.io knows no `version`, only the time.
        """
        with self._watch.operation("identify"):
            await self._change(upserted(user_id, fields, now_ms=now_ms()), timeout_s)

    async def track(
        self,
        name: str,
        *,
        user_id: str | int | None = None,
        anonymous_id: str | int | None = None,
        data: Mapping[str, object] | None = None,
        id: str | int | None = None,  # noqa: A002 - the contract's name
        occurred_at: Time | None = None,
        timeout_s: float | None = None,
    ) -> str:
        """Say that somebody has done something; the answer is the event's id at Customer.io.

        With `id`, the application's own, or with `occurred_at`, Customer.io recognises it when it is said again.
        """
        fields = {
            "user_id": user_id,
            "anonymous_id": anonymous_id,
            "id": id,
            "occurred_at": occurred_at,
            "data": data,
        }
        with self._watch.operation("track"):
            draft = event(name, fields, now_ms=now_ms())
            conclusion = await self._open.track.say(draft, DomainEventsPlan(), self._until(timeout_s))
            return conclusion.event_id or ""

    async def suppress(self, user_id: str | int, *, timeout_s: float | None = None) -> None:
        """Remove a user's profile, and take nothing about them until they are unsuppressed."""
        with self._watch.operation("suppress"):
            await self._change(opted_out(user_id, now_ms=now_ms()), timeout_s)

    async def unsuppress(self, user_id: str | int, *, timeout_s: float | None = None) -> None:
        """Let things be said of a user again; identify them afterwards."""
        with self._watch.operation("unsuppress"):
            draft = opted_out(user_id, now_ms=now_ms())
            check(draft)
            parcel = Parcel((simple_body(draft.key.decode(), "unsuppress"),))
            await self._open.track.send(parcel, self._until(timeout_s))

    async def delete(
        self, user_id: str | int, *, occurred_at: Time | None = None, timeout_s: float | None = None
    ) -> None:
        """Suppress a user, then delete them: nothing that comes late brings them back."""
        with self._watch.operation("delete"):
            await self._change(deleted(user_id, occurred_at=occurred_at, now_ms=now_ms()), timeout_s)

    async def _change(self, draft: Draft, timeout_s: float | None) -> None:
        await self._open.track.say(draft, UserChangesPlan(), self._until(timeout_s))

    async def send_transactional(
        self,
        channel: Channel,
        *,
        identifiers: Mapping[str, str | int],
        timeout_s: float | None = None,
        **fields: object,
    ) -> str:
        """Send one message to one person; the answer is its delivery id.

        `fields` are the endpoint's, `to` and `transactional_message_id` first. Said again, it is sent again.
        """
        whole = {"message_id": uuid.uuid4().hex, "channel": channel, "identifiers": identifiers, **fields}
        with self._watch.operation("send_transactional"):
            _refuse_key("message_id", fields)
            draft = message(whole, now_ms=now_ms())
            return await self._open.send.send(draft, self._until(timeout_s))

    async def trigger_broadcast(
        self,
        broadcast_id: int,
        *,
        data: Mapping[str, object] | None = None,
        audience: Mapping[str, object] | None = None,
        timeout_s: float | None = None,
        **flags: bool,
    ) -> str:
        """Run a broadcast, for the audience set at Customer.io where none is given; the answer is the trigger's id.

        Said again, it runs again. It waits for its turn, and so for `BROADCAST_TIMEOUT_S` where nothing else is said.
        """
        own = {"trigger_id": uuid.uuid4().hex, "broadcast_id": broadcast_id, "data": data, "audience": audience}
        with self._watch.operation("trigger_broadcast"):
            _refuse_key("trigger_id", flags)
            draft = trigger(own | flags, now_ms=now_ms())
            until_s = BROADCAST_TIMEOUT_S if timeout_s is None else timeout_of(timeout_s)
            return await self._open.broadcast.send(draft, until_s)

    @property
    def _open(self) -> Paths:
        if self._paths is None:
            raise ConfigError("the service is not entered: use it within `async with`")
        return self._paths

    def _until(self, timeout_s: float | None) -> float:
        return self._timeout_s if timeout_s is None else timeout_of(timeout_s)


def _refuse_key(name: str, fields: Mapping[str, object]) -> None:
    """Nothing is remembered here, so nothing could be recognised by it."""
    if name in fields:
        raise InvalidInputError(
            f"{name}: only the queued path knows what was sent already, here it would be sent again"
        )
