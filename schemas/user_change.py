"""The user change: what a record of `user-changes` may say. A field left out says nothing; null clears it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, AliasChoices, BaseModel, Discriminator, Field, PlainValidator

from schemas.person_id import PersonId
from schemas.times import unix_ms, unix_s

RESERVED_NAMES = frozenset(
    {
        *("id", "email", "first_name", "last_name", "plan", "created_at"),  # the fields' own
        *("marketing_opt_in", "transactional_opt_in", "last_seen_at"),  # ours
        *("cio_id", "_timestamp", "_update"),  # Customer.io's
    }
)


def _free_names(attributes: dict[str, object]) -> dict[str, object]:
    if RESERVED_NAMES.isdisjoint(attributes):
        return attributes
    raise ValueError(f"must not hold {min(RESERVED_NAMES & attributes.keys())}, which is reserved")


class Preferences(BaseModel, frozen=True, extra="forbid", strict=True):
    """What the user agreed to; absent and null are unknown, not false."""

    marketing: bool | None = None
    transactional: bool | None = None


class User(BaseModel, frozen=True, extra="forbid", strict=True):
    """The fields of a user; `model_fields_set` tells which were given. `created_at` is in unix seconds."""

    id: PersonId
    email: str | None = None
    first_name: str | None = Field(default=None, validation_alias=AliasChoices("first_name", "firstName"))
    last_name: str | None = Field(default=None, validation_alias=AliasChoices("last_name", "lastName"))
    plan: str | None = None
    created_at: Annotated[int, PlainValidator(unix_s)] | None = Field(
        default=None, validation_alias=AliasChoices("created_at", "createdAt")
    )
    preferences: Preferences | None = None
    attributes: Annotated[dict[str, object], AfterValidator(_free_names)] = Field(default_factory=dict)


class UserUpserted(BaseModel, frozen=True, extra="forbid", strict=True):
    """Some or all fields of a user are new."""

    type: Literal["user.upserted"]
    occurred_ms: Annotated[int, PlainValidator(unix_ms)] | None = Field(default=None, validation_alias="occurred_at")
    version: int | None = None
    user: User


class UserDeleted(BaseModel, frozen=True, extra="forbid", strict=True):
    """The user is gone; a record without value says the same of its key."""

    type: Literal["user.deleted"]
    occurred_ms: Annotated[int, PlainValidator(unix_ms)] | None = Field(default=None, validation_alias="occurred_at")
    version: int | None = None
    user_id: PersonId


UserChange: TypeAlias = Annotated[UserUpserted | UserDeleted, Discriminator("type")]
