"""What a sandbox reports to a webhook, how likely each thing is, and how it waits for the receiver: the switch."""

import re
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

HOUR_S: Final = 3_600.0
SEVEN_DAYS_S: Final = 7 * 86_400.0
STAND_IN_KEY: Final = "sandbox"


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?", value):
        raise PydanticCustomError("malformed", "is malformed, expected http(s)://host[:port][/path]")
    return value


def _printable(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise PydanticCustomError("malformed", "has a blank or an unprintable character")
    return value


Chance = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0.001, le=600)]
Url = Annotated[str, AfterValidator(_url)]
SigningKey = Annotated[SecretStr, AfterValidator(_printable)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOptions:
    """What becomes of messages, and how it is told; without `url` nobody is. `PUT /sandbox/webhooks` while it runs.

    The chances are those of the step before: of what was delivered, a share `opened` is opened, of that `clicked` is
    clicked. What a message will go through is drawn when it is sent, from `seed` and its number: the same messages
    have the same fate.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    url: Url | None = None
    signing_key: SigningKey = field(default_factory=lambda: SecretStr(STAND_IN_KEY))
    seed: int = 1
    bounced: Chance = 0.03
    delivered: Chance = 0.99
    """Of what did not bounce."""

    opened: Chance = 0.5
    clicked: Chance = 0.3
    converted: Chance = 0.2
    spammed: Chance = 0.002
    unsubscribed: Chance = 0.01
    """Of the e-mails that were delivered: the person's `unsubscribed` becomes true, which is told too."""

    resubscribed: Chance = 0.5
    """Of the people who unsubscribed so: they think better of it after a while."""

    preferences_changed: Chance = 0.01
    """Of the campaigns' and broadcasts' e-mails that were delivered: the person leaves one topic."""

    repeated: Chance = 0.02
    """Of all webhooks: the same one is sent a second time."""

    step_s: Annotated[float, Field(ge=0, le=86_400)] = 1.0
    """So long a message takes from one step to the next, drawn evenly between none and twice that."""

    timeout_s: Seconds = 4.0
    """An answer that takes longer is none."""

    hurry: Annotated[float, Field(ge=1, le=1_000_000)] = 3_600.0
    """By this the hour of a hold and the seven days until a webhook is given up are divided."""

    retry_s: Seconds = 0.2
    """Undocumented: the first pause where there is no hold; each further one is twice as long."""

    signs_anew: bool = True
    """Undocumented: each try has its own time and signature; else a webhook keeps those of its first."""

    @property
    def hold_s(self) -> float:
        """What an hour is here."""
        return HOUR_S / self.hurry

    @property
    def give_up_s(self) -> float:
        """What seven days are here."""
        return SEVEN_DAYS_S / self.hurry
