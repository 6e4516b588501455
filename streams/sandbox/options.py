"""How a sandbox behaves: its credentials, its faults and the points that Customer.io leaves undocumented; data only."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

HOST: Final = "127.0.0.1"
PORT: Final = 8081

FaultStatus = Literal["400", "401", "403", "404", "408", "413", "422", "429", "500", "502", "503", "504", "522", "524"]
FaultKind = FaultStatus | Literal["reset_before", "reset_after", "hang", "slow"]
Seconds = Annotated[float, Field(ge=0, le=600)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong: a share `rate` of the requests meets one of `kinds`, drawn evenly from a generator with `seed`.

    A status, "reset_before" and "hang" leave the request undone; "reset_after" and "slow" carry it out. "hang" keeps
    silent for `hang_s` and then drops the connection. `latency_ms` delays every answer, also the good ones.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    kinds: Annotated[tuple[FaultKind, ...], Field(min_length=1)] = (
        "503",
        "429",
        "500",
        "reset_before",
        "reset_after",
        "slow",
    )
    seed: int = 1
    latency_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    hang_s: Seconds = 12.0
    slow_s: Seconds = 1.0
    retry_after_s: Annotated[int, Field(ge=0, le=86_400)] | None = None
    """The `Retry-After` of a 429 or 503; none by default, as on the Track API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """What may differ from one sandbox to the next. Without credentials, any non-empty ones are accepted."""

    region: Literal["us", "eu"] = "us"
    site_id: str | None = None
    track_api_key: str | None = None
    faults: Faults = field(default_factory=Faults)
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
