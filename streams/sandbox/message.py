"""One valid thing to send, as the App API takes it: a message to a person, or a broadcast's trigger. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from streams.sandbox.operation import Identifier

Channel: TypeAlias = Literal["email", "push", "sms", "in_app"]
CHANNELS: Final[tuple[Channel, ...]] = ("email", "push", "sms", "in_app")

Form: TypeAlias = Literal["recipients", "emails", "ids", "per_user_data", "data_file_url"]
"""How a trigger may name its audience; without any, the audience is the broadcast's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A valid send. What is None is the template's; `to` holds addresses, a phone number, or which devices.

    `attachments` are names with their sizes in bytes. `send_at` is in unix seconds.
    """

    channel: Channel
    identifier: Identifier
    template: int | str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    sender: str | None = None
    subject: str | None = None
    body: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, int] = field(default_factory=dict)
    send_at: int | None = None
    is_draft: bool = False
    sends_to_unsubscribed: bool = True
    creates_template: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody whom a trigger names, on which line of its audience, with data of their own."""

    line: int
    identifier: Identifier
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A valid trigger. `named` are the people of a list, `recipients` is a filter; `ignores` are kinds of identifier.

    A data file is never fetched: nothing leaves this machine.
    """

    form: Form | None = None
    named: tuple[Named, ...] = ()
    recipients: Mapping[str, Any] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    ignores: frozenset[str] = frozenset()
