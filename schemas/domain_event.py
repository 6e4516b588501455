"""The domain event: what a record of `domain-events` may say. Its `data` is passed on as it is."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, PlainValidator, model_validator

from schemas.person_id import PersonId
from schemas.times import unix_ms


def _not_blank(name: str) -> str:
    if name.strip():
        return name
    raise ValueError("must not be blank")


class DomainEvent(BaseModel, frozen=True, extra="forbid", strict=True):
    """Something that a user, or somebody not known yet, has done; `id` is the publisher's own."""

    name: Annotated[str, AfterValidator(_not_blank)]
    user_id: PersonId = ""  # empty: not given, for an id itself is never empty
    anonymous_id: PersonId = ""
    id: PersonId | None = None
    occurred_ms: Annotated[int, PlainValidator(unix_ms)] | None = Field(default=None, validation_alias="occurred_at")
    data: dict[str, object] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _of_one_person(self) -> Self:
        if bool(self.user_id) is bool(self.anonymous_id):
            raise ValueError("needs exactly one of user_id and anonymous_id")
        return self

    @property
    def person(self) -> str:
        """The id of whoever did it, known or anonymous."""
        return self.user_id or self.anonymous_id

    @property
    def person_path(self) -> Literal["user_id", "anonymous_id"]:
        """The field that holds `person`."""
        return "user_id" if self.user_id else "anonymous_id"
