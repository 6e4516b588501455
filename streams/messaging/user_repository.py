"""`UserMessagingRepository`: keeps Customer.io's picture of users like the application's, over either path."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, Unpack

from streams.messaging.drafts import Time, UserFields
from streams.messaging.queued_verbs import QueuedVerbs

R_co = TypeVar("R_co", covariant=True)


class UserLike(Protocol):
    """What is read of an application's user: its own model will do, or a `User`. None clears a field."""

    @property
    def id(self) -> str | int: ...  # noqa: D102
    @property
    def email(self) -> str | None: ...  # noqa: D102
    @property
    def first_name(self) -> str | None: ...  # noqa: D102
    @property
    def last_name(self) -> str | None: ...  # noqa: D102
    @property
    def plan(self) -> str | None: ...  # noqa: D102
    @property
    def created_at(self) -> Time | None: ...  # noqa: D102
    @property
    def marketing_opt_in(self) -> bool | None: ...  # noqa: D102
    @property
    def transactional_opt_in(self) -> bool | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user, for applications without a model of their own."""

    id: str | int
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    plan: str | None = None
    created_at: Time | None = None
    marketing_opt_in: bool | None = None
    transactional_opt_in: bool | None = None


class UserVerbs(Protocol[R_co]):
    """How users are spoken of: a `MessagingService` is one, and so is a queue's `users`."""

    def identify(self, user_id: str | int, **fields: Unpack[UserFields]) -> R_co:
        """Say the fields of a user."""

    def suppress(self, user_id: str | int) -> R_co:
        """Say that a user wants nothing any more."""

    def delete(self, user_id: str | int) -> R_co:
        """Say that a user is gone."""


class UserMessagingRepository(Generic[R_co]):
    """Over a service or a queue; answers as they do: something to await, or a `Written` of a blocking queue."""

    def __init__(self, verbs: UserVerbs[R_co] | QueuedVerbs[R_co]) -> None:
        self._verbs = verbs.users if isinstance(verbs, QueuedVerbs) else verbs

    def sync_user(self, user: UserLike) -> R_co:
        """Say all there is about a user; of one who wants nothing, only that. None is unknown, not a refusal."""
        if user.marketing_opt_in is False and user.transactional_opt_in is False:
            return self._verbs.suppress(user.id)
        return self._verbs.identify(
            user.id,
            email=user.email,
            first_name=user.first_name,
            last_name=user.last_name,
            plan=user.plan,
            created_at=user.created_at,
            marketing_opt_in=user.marketing_opt_in,
            transactional_opt_in=user.transactional_opt_in,
        )

    def on_user_deleted(self, user_id: str | int) -> R_co:
        """Suppress a user, then delete them."""
        return self._verbs.delete(user_id)
