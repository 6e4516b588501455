"""The transactional message: what a record of `transactional-messages` may say, by the rules of Customer.io's App API.

What that endpoint knows and this page does not is passed on as it is.
"""

import binascii
from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self, TypeAlias, get_args

from pydantic import AfterValidator, BaseModel, Field, PlainValidator, model_validator

from schemas.person_id import PersonId
from schemas.recipients import recipient_count
from schemas.times import unix_ms, unix_s

Channel: TypeAlias = Literal["email", "push", "sms", "in_app"]
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

RECIPIENTS_MAX: Final = 15
ATTACHMENTS_BYTES_MAX: Final = 2_000_000
SEND_AT_DAYS_MAX: Final = 90

_DAY_S: Final = 86_400


def _not_blank(text: str) -> str:
    if text.strip():
        return text
    raise ValueError("must not be blank")


def _template(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError("must be an integer or a name")


def _files(files: dict[str, str]) -> dict[str, str]:
    """Names may be about a person, so no fault names one."""
    try:
        total = sum(len(binascii.a2b_base64("".join(text.split()), strict_mode=True)) for text in files.values())
    except ValueError:
        raise ValueError("must hold base64") from None  # the original may quote
    if total < ATTACHMENTS_BYTES_MAX:
        return files
    raise ValueError(f"must be under {ATTACHMENTS_BYTES_MAX} bytes in total")


_Text: TypeAlias = Annotated[str, AfterValidator(_not_blank)]


class Identifiers(BaseModel, frozen=True, extra="forbid", strict=True):
    """Whose profile the message belongs to: exactly one way to name it."""

    id: PersonId | None = None
    email: _Text | None = None
    cio_id: _Text | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if [self.id, self.email, self.cio_id].count(None) == 2:  # noqa: PLR2004 - of three
            return self
        raise ValueError("needs exactly one of id, email and cio_id")

    @property
    def person(self) -> str:
        """Tells one person from another, as far as they are named in the same way."""
        return next(f"{name}:{value}" for name, value in self if value is not None)


class TransactionalMessage(BaseModel, frozen=True, extra="allow", strict=True):
    """One message to one person; null says the same as nothing. `send_at` is in unix seconds."""

    message_id: PersonId
    channel: Channel
    occurred_ms: Annotated[int, PlainValidator(unix_ms)] | None = Field(default=None, validation_alias="occurred_at")
    identifiers: Identifiers
    to: _Text | None = None
    cc: str | None = None
    bcc: str | None = None
    transactional_message_id: Annotated[int | str, PlainValidator(_template)] | None = None
    subject: str | None = None
    body: str | None = None
    message_data: dict[str, object] | None = None
    attachments: Annotated[dict[str, str], AfterValidator(_files)] | None = None
    send_at: Annotated[int, PlainValidator(unix_s)] | None = None
    send_to_unsubscribed: bool | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if missing := next(self._missing(), None):
            raise ValueError(f"{self.channel} needs {missing}")
        if self.channel == "email" and (fault := self._recipients_fault()):
            raise ValueError(fault)
        return self

    def _missing(self) -> Iterator[str]:
        if self.channel in ("email", "sms") and self.to is None:
            yield "to"
        if self.transactional_message_id is not None:
            return
        if self.channel != "email":
            yield "transactional_message_id"
        elif self.body is None or self.subject is None or not (self.model_extra or {}).get("from"):
            yield "transactional_message_id, or body, subject and from"

    def _recipients_fault(self) -> str | None:
        to, *copies = (recipient_count(field or "") for field in (self.to, self.cc, self.bcc))
        if not to:
            return "has no recipient in to"
        return (
            f"has more than {RECIPIENTS_MAX} recipients in to, cc and bcc"
            if to + sum(copies) > RECIPIENTS_MAX
            else None
        )

    def send_at_fault(self, time_s: int | None) -> str | None:
        """Say what is wrong with `send_at` for a record of that time, if it is known; a past one means at once."""
        if self.send_at is None or time_s is None or self.send_at <= time_s + SEND_AT_DAYS_MAX * _DAY_S:
            return None
        return f"send_at: must be within {SEND_AT_DAYS_MAX} days"

    def request(self) -> dict[str, object]:
        """Give the JSON to send to `/v1/send/{channel}`: all that was given, except what is ours."""
        given = self.model_dump(exclude={"message_id", "channel", "occurred_ms"}, exclude_unset=True)
        given["identifiers"] = self.identifiers.model_dump(exclude_none=True)
        return {name: value for name, value in given.items() if value is not None}
