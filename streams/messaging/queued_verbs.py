"""The verbs of both faces of the queue, and what each writes; how one waits for the confirmation is the face's."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar, Unpack

from prometheus_client import CollectorRegistry

from schemas.errors import BusyError, ConfigError, UnavailableError
from schemas.transactional_message import Channel
from streams.clock import now_ms
from streams.messaging.drafts import Draft, Time, UserFields, deleted, event, message, opted_out, trigger, upserted
from streams.messaging.observe import OnError, OnOperation, Watch, metrics_in
from streams.messaging.timeouts import timeout_of
from streams.settings import Settings

TIMEOUT_S: Final = 30.0
ROOM_POLL_S: Final = 0.01
"""So often a caller looks whether there is room again."""

R = TypeVar("R")


class QueuedVerbs(ABC, Generic[R]):
    """Each verb writes one record, and answers where it lies once every replica has it.

    What a worker could not send raises InvalidInputError, and nothing is written. `settings` say where Kafka is;
    `timeout_s` bounds each call. Hooks, metrics and `registry` are as with `MessagingService`. A topic is looked for
    when it is used first; a missing one is a ConfigError, and is never created.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        timeout_s: float = TIMEOUT_S,
        registry: CollectorRegistry | None = None,
        on_operation: OnOperation | None = None,
        on_error: OnError | None = None,
    ) -> None:
        self.registry = registry or CollectorRegistry()
        self._settings = settings
        self._timeout_s = timeout_of(timeout_s, fault=ConfigError)
        self._watch = Watch(metrics_in(self.registry), on_operation, on_error)

    @property
    def users(self) -> "QueuedUsers[R]":
        """What concerns users, by the names of `MessagingService`'s verbs: for `UserMessagingRepository`."""
        return QueuedUsers(self)

    @abstractmethod
    def _enqueue(self, operation: str, draft: Callable[[], Draft]) -> R:
        """Make the draft, check it, write it, and answer as the face does."""

    def enqueue_identify(self, user_id: str | int, **fields: Unpack[UserFields]) -> R:
        """Say some or all fields of a user; both opt-ins false say that they want nothing any more."""
        return self._enqueue("enqueue_identify", partial(upserted, user_id, fields, now_ms=now_ms()))

    def enqueue_opted_out(self, user_id: str | int) -> R:
        """Say that a user wants nothing any more."""
        return self._enqueue("enqueue_opted_out", partial(opted_out, user_id, now_ms=now_ms()))

    def enqueue_deleted(self, user_id: str | int, *, occurred_at: Time | None = None) -> R:
        """Say that a user is gone, for ever: workers skip what comes later."""
        draft = partial(deleted, user_id, occurred_at=occurred_at, now_ms=now_ms())
        return self._enqueue("enqueue_deleted", draft)

    def enqueue_track(
        self,
        name: str,
        *,
        user_id: str | int | None = None,
        anonymous_id: str | int | None = None,
        data: Mapping[str, object] | None = None,
        id: str | int | None = None,  # noqa: A002 - the contract's name
        occurred_at: Time | None = None,
    ) -> R:
        """Say that somebody has done something; with `id` or `occurred_at` a repeat is recognised as one."""
        fields = {
            "user_id": user_id,
            "anonymous_id": anonymous_id,
            "id": id,
            "occurred_at": occurred_at,
            "data": data,
        }
        return self._enqueue("enqueue_track", partial(event, name, fields, now_ms=now_ms()))

    def enqueue_transactional(
        self, channel: Channel, *, message_id: str, identifiers: Mapping[str, str | int], **fields: object
    ) -> R:
        """Ask for one message to one person; `fields` are the endpoint's, `to` and `transactional_message_id` first.

        The same `message_id` again is no second message.
        """
        whole = {"message_id": message_id, "channel": channel, "identifiers": identifiers, **fields}
        return self._enqueue("enqueue_transactional", partial(message, whole, now_ms=now_ms()))

    def enqueue_broadcast(
        self,
        broadcast_id: int,
        *,
        trigger_id: str,
        data: Mapping[str, object] | None = None,
        audience: Mapping[str, object] | None = None,
        **flags: bool,
    ) -> R:
        """Ask for one run of a broadcast, to the audience set at Customer.io where none is given.

        The same `trigger_id` again is no second run.
        """
        whole = {"trigger_id": trigger_id, "broadcast_id": broadcast_id, "data": data, "audience": audience, **flags}
        return self._enqueue("enqueue_broadcast", partial(trigger, whole, now_ms=now_ms()))


@dataclass(frozen=True, slots=True)
class QueuedUsers(Generic[R]):
    """`identify`, `suppress` and `delete`, each as a record."""

    queue: QueuedVerbs[R]

    def identify(self, user_id: str | int, **fields: Unpack[UserFields]) -> R:
        """As `enqueue_identify`."""
        return self.queue.enqueue_identify(user_id, **fields)

    def suppress(self, user_id: str | int) -> R:
        """As `enqueue_opted_out`."""
        return self.queue.enqueue_opted_out(user_id)

    def delete(self, user_id: str | int) -> R:
        """As `enqueue_deleted`."""
        return self.queue.enqueue_deleted(user_id)


def not_in_time(draft: Draft, timeout_s: float, *, is_known: bool) -> UnavailableError:
    """The error for who could not hand a record over in time: nothing of it was written."""
    if is_known:
        return BusyError(f"Kafka took nothing more within {timeout_s:g} s: nothing was written")
    return UnavailableError(f"Kafka has not told of {draft.topic} within {timeout_s:g} s: nothing was written")
