"""How a sandbox behaves: its credentials, its faults and the points that Customer.io leaves undocumented; data only."""

from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import SecretStr

from streams.sandbox.account import Account, Region
from streams.sandbox.faults import Faults

HOST: Final = "127.0.0.1"
PORT: Final = 8081
KEEP_ALIVE_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """What may differ from one sandbox to the next. Without credentials, any non-empty ones are accepted."""

    region: Region = "us"
    """Of this host; the account is in the same, unless `account_region` says another."""

    account_region: Region | None = None
    wrong_region_status: Literal[301, 307, 308, 401] = 301
    site_id: str | None = None
    track_api_key: str | None = None
    faults: Faults = field(default_factory=Faults)
    keep_alive_s: int = KEEP_ALIVE_S
    """An idle connection is closed after so long, and a request may cross that."""

    keep_log: bool = False
    """Keep every accepted operation for `GET /sandbox/log`, up to `chronicle.LOG_MAX`: about 500 bytes each."""

    rejects_malformed_ulid: bool = True
    """Undocumented: an event `id` that is no ULID is refused; else it is accepted and not deduplicated."""

    creates_on_event: bool = True
    """Undocumented: an event for an unknown person creates the person; else it has no effect."""

    updates_email_by_id: bool = True
    """Customer.io's workspace setting "Allow updates to email using ID"."""

    oversize_status: Literal[400, 413] = 400
    """Undocumented: the answer to a request that is too large as a whole."""

    def account(self) -> Account:
        """Return the account at the start."""
        return Account(
            region=self.account_region or self.region,
            site_id=self.site_id,
            track_api_key=None if self.track_api_key is None else SecretStr(self.track_api_key),
            wrong_region_status=self.wrong_region_status,
        )
