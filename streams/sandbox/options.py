"""How a sandbox behaves: its credentials, its faults and the points that Customer.io leaves undocumented; data only."""

from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from pydantic import ConfigDict, SecretStr

from streams.sandbox.account import Account, Region
from streams.sandbox.faults import Faults
from streams.sandbox.message import Channel
from streams.sandbox.templates import Templates
from streams.sandbox.webhook_options import WebhookOptions

HOST: Final = "127.0.0.1"
PORT: Final = 8081
KEEP_ALIVE_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """What may differ from one sandbox to the next. Without credentials, any non-empty ones are accepted."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    region: Region = "us"
    """Of this host; the account is in the same, unless `account_region` says another."""

    account_region: Region | None = None
    wrong_region_status: Literal[301, 307, 308, 401] = 301
    site_id: str | None = None
    track_api_key: str | None = None
    app_api_key: str | None = None
    features_off: tuple[Channel, ...] = ()
    """Channels of the App API that are not enabled for the account."""

    templates: Templates = field(default_factory=Templates)
    faults: Faults = field(default_factory=Faults)
    webhooks: WebhookOptions = field(default_factory=WebhookOptions)
    keep_alive_s: int = KEEP_ALIVE_S
    """An idle connection is closed after so long, and a request may cross that."""

    keep_log: bool = False
    """Keep every accepted operation for `GET /sandbox/log`, up to `chronicle.LOG_MAX`: about 500 bytes each."""

    rejects_malformed_ulid: bool = True
    """Undocumented: an event `id` that is no ULID is refused; else it is accepted and not deduplicated."""

    dedupe_window_s: float | None = None
    """Undocumented: so long a ULID is remembered; without, as long as there is room, see `history.IDS_MAX`."""

    refuses_milliseconds: bool = True
    """Undocumented: a timestamp in milliseconds is refused; else it is taken as it is, and counted as flagged."""

    event_for_nobody: Literal["create", "hold", "drop"] = "create"
    """Undocumented: an event for an unknown person creates the person, waits for one, or has no effect."""

    refuses_suppressed: bool = False
    """Documented in two ways: a call for somebody suppressed is ignored; or it is an error."""

    drops_not_a_number: bool = False
    """Seen years ago: `NaN` in a body is answered with 200, and nothing is saved; else it is refused."""

    updates_email_by_id: bool = True
    """Customer.io's workspace setting "Allow updates to email using ID"."""

    refuses_empty_batch: bool = False
    """Undocumented: a batch without items is refused; else it is answered like any good one."""

    refuses_all_bad_batch: bool = False
    """Undocumented: a batch in which no item is good is refused as a whole, with 400; else it is a 207 like others."""

    oversize_status: Literal[400, 413] = 400
    """Undocumented: the answer to a request that is too large as a whole."""

    unknown_template_status: Literal[400, 404] = 400
    """Undocumented: the answer to a send with a `transactional_message_id` that there is not."""

    refuses_unfit_flags: bool = True
    """Seen, and against the documentation: a trigger's flags that do not fit its audience are refused."""

    apply_after_s: float = 0.0
    """What is accepted is applied so much later; `GET /sandbox/state` says how many operations are `pending`."""

    applies_out_of_order: bool = False
    """Each operation is applied at some time within `apply_after_s`, drawn from a generator with `apply_seed`."""

    apply_seed: int = 1

    def account(self) -> Account:
        """Return the account at the start."""
        return Account(
            region=self.account_region or self.region,
            site_id=self.site_id,
            track_api_key=None if self.track_api_key is None else SecretStr(self.track_api_key),
            app_api_key=None if self.app_api_key is None else SecretStr(self.app_api_key),
            features_off=self.features_off,
            wrong_region_status=self.wrong_region_status,
        )
