"""The broadcast trigger: what a record of `broadcast-triggers` may say, by the rules of Customer.io's App API."""

from collections.abc import Mapping
from typing import Annotated, Final, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainValidator, model_validator

from schemas.person_id import PersonId
from schemas.times import unix_ms

LIST_MAX: Final = 10_000

FORMS: Final = ("segment", "recipients", "emails", "ids", "per_user_data", "data_file_url")
FLAGS: Final = ("id_ignore_missing", "email_ignore_missing", "email_add_duplicates")
_FITTING: Final[Mapping[str, frozenset[str]]] = {
    "emails": frozenset({"email_ignore_missing", "email_add_duplicates"}),
    "ids": frozenset({"id_ignore_missing"}),
    "per_user_data": frozenset(FLAGS),
    "data_file_url": frozenset(FLAGS),
}


def _not_empty(value: dict[str, object]) -> dict[str, object]:
    if value:
        return value
    raise ValueError("must not be empty")


def _in_bounds(values: object) -> object:
    if not isinstance(values, list) or 0 < len(values) <= LIST_MAX:
        return values
    raise ValueError(f"must have from 1 to {LIST_MAX} entries")


def _web_address(text: str) -> str:
    if text.startswith(("https://", "http://")) and text.isprintable() and " " not in text:
        return text
    raise ValueError("must be an http(s) URL")


def _positive(number: int) -> int:
    if number > 0:
        return number
    raise ValueError("must be above 0")


def _email(text: str) -> str:
    if "@" in text:
        return text
    raise ValueError("must be an e-mail address")


T = TypeVar("T")

# Of a list that is too long no entry is looked at, and none after the first bad one: a record has room for many.
_List = Annotated[list[T], Field(fail_fast=True), BeforeValidator(_in_bounds)]
_Email: TypeAlias = Annotated[str, AfterValidator(_email)]
_Number: TypeAlias = Annotated[int, AfterValidator(_positive)]


class Segment(BaseModel, frozen=True, extra="forbid", strict=True):
    """A segment of the workspace."""

    id: _Number


class PersonData(BaseModel, frozen=True, extra="forbid", strict=True):
    """What one person's copy is filled with."""

    id: PersonId | None = None
    email: _Email | None = None
    data: dict[str, object] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _of_one_person(self) -> Self:
        if (self.id is None) is not (self.email is None):
            return self
        raise ValueError("needs exactly one of id and email")


class Audience(BaseModel, frozen=True, extra="forbid", strict=True):
    """Who gets it, in exactly one form; the flags may stand here or beside the audience."""

    segment: Segment | None = None
    recipients: Annotated[dict[str, object], AfterValidator(_not_empty)] | None = None
    emails: _List[_Email] | None = None
    ids: _List[PersonId] | None = None
    per_user_data: _List[PersonData] | None = None
    data_file_url: Annotated[str, AfterValidator(_web_address)] | None = None
    id_ignore_missing: bool | None = None
    email_ignore_missing: bool | None = None
    email_add_duplicates: bool | None = None

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if len(_given(self, FORMS)) == 1:
            return self
        raise ValueError(f"needs exactly one of {', '.join(FORMS)}")

    @property
    def form(self) -> str:
        """Which of `FORMS` it has."""
        return next(iter(_given(self, FORMS)))


class BroadcastTrigger(BaseModel, frozen=True, extra="forbid", strict=True):
    """One run of a broadcast, to the audience set at Customer.io where none is given here."""

    trigger_id: PersonId
    broadcast_id: _Number
    occurred_ms: Annotated[int, PlainValidator(unix_ms)] | None = Field(default=None, validation_alias="occurred_at")
    data: dict[str, object] | None = None
    audience: Audience | None = None
    id_ignore_missing: bool | None = None
    email_ignore_missing: bool | None = None
    email_add_duplicates: bool | None = None

    @model_validator(mode="after")
    def _flags_fit(self) -> Self:
        inner = _given(self.audience, FLAGS) if self.audience else {}
        outer = _given(self, FLAGS)
        if inner.keys() & outer.keys():
            raise ValueError(f"has {min(inner.keys() & outer.keys())} twice")
        form = self.audience.form if self.audience else "an audience that is set at Customer.io"
        if unfit := (inner.keys() | outer.keys()) - _FITTING.get(form, frozenset()):
            raise ValueError(f"{min(unfit)} does not fit {form}")
        return self

    def request(self) -> dict[str, object]:
        """Give the JSON to send to `/v1/campaigns/{broadcast_id}/triggers`."""
        audience = self.audience.model_dump(exclude_unset=True) if self.audience else {}
        body = {"data": self.data} | audience | _given(self, FLAGS)
        if segment := body.pop("segment", None):
            body["recipients"] = {"segment": segment}
        if people := audience.get("per_user_data"):
            body["per_user_data"] = [_without_nulls(person) for person in people]
        return _without_nulls(body)


def _without_nulls(fields: Mapping[str, object]) -> dict[str, object]:
    """What stands deeper is content, and stays."""
    return {name: value for name, value in fields.items() if value is not None}


def _given(model: BaseModel, names: tuple[str, ...]) -> dict[str, object]:
    return {name: value for name in names if (value := getattr(model, name)) is not None}
