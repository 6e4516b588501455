"""What goes wrong in a sandbox: the switch, data only. `gate` decides for each request, `mishaps` carries it out."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from schemas.failure_model import SANDBOX_FAULTS

RATE_LIMIT_MAX: Final = 100_000
DAILY_QUOTA_MAX: Final = 1_000_000


def _status_as_text(kind: object) -> object:
    return str(kind) if type(kind) is int else kind


def _known(kind: str) -> str:
    if kind not in SANDBOX_FAULTS:
        known = {"kind": kind, "known": ", ".join(SANDBOX_FAULTS)}
        raise PydanticCustomError("unknown_kind", "no such kind of fault: {kind}; there are {known}", known)
    return kind


def _some(kinds: tuple[str, ...]) -> tuple[str, ...]:
    if not kinds:
        raise PydanticCustomError("no_kind", "there must be one at least")
    return kinds


FaultKind = Annotated[str, BeforeValidator(_status_as_text), AfterValidator(_known)]
Seconds = Annotated[float, Field(ge=0, le=600)]
PerSecond = Annotated[int, Field(ge=1, le=RATE_LIMIT_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong, `PUT /sandbox/faults` while it runs: a change starts `seed` and `count` anew.

    A share `rate` of the requests that are aimed at meets one of `kinds`, drawn evenly from a generator with `seed`.
    Aimed at are those whose path, as sent, starts with one of `paths` (none: all), and whose body, as sent, contains
    `containing`; after `count` faults no more. An outage is `rate` 1 with 503, a poison item `rate` 1 with its id,
    quotes included, in `containing`.

    Nothing is applied: a status (in HTML where the proxy speaks, a 3xx with the other region's host as `Location`);
    "html", a 200 with a page; "drop", a 200 as always; "reset_before"; "hang", silence for `hang_s`, then a reset.

    Applied, and then: "reset_after"; "slow", an answer after `slow_s`; "slow_body", one whose body takes `slow_s`;
    "cut_body", a connection that closes within the body; and, where the answer would have been a success, "empty", a
    200 without a body; "truncated", a 200 with half a body; "truncated_207", half of a 207; "index_out_of_range", a
    207 with the index after the last item's; "index_twice", a 207 with the first item's index two times.

    "errors_in_200" refuses the first item, which is not applied, and takes the others: a 200 that names it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    kinds: Annotated[tuple[FaultKind, ...], AfterValidator(_some)] = (
        "503",
        "429",
        "500",
        "reset_before",
        "reset_after",
        "slow",
    )
    seed: int = 1
    paths: tuple[str, ...] = ()
    containing: str | None = None
    count: Annotated[int, Field(ge=1)] | None = None

    latency_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    """Delays every answer, also the good ones."""

    hang_s: Seconds = 12.0
    slow_s: Seconds = 1.0

    retry_after_s: Annotated[int, Field(ge=0, le=86_400)] | None = None
    """The `Retry-After` of a 429 or 503; none by default, as on the Track API."""

    retry_after_as_date: bool = False
    """As an HTTP date rather than in seconds."""

    rate_limit_per_s: PerSecond | None = None
    """Hard: what exceeds it within any second is a 429."""

    soft_limit_per_s: PerSecond | None = None
    """What exceeds it within any second is answered with 200, and dropped, as the Track API is said to do."""

    app_limit_per_s: Annotated[int, Field(ge=0, le=RATE_LIMIT_MAX)] = 10
    """Of the App API's calls that neither send nor trigger: what exceeds it is a 429; 0: no limit."""

    send_limit_per_s: PerSecond | None = None
    """Of sends: what exceeds it is a 429. Customer.io names 100 in one place, and calls it soft in another."""

    broadcast_every_s: Annotated[float, Field(ge=0, le=600)] = 10.0
    """One trigger in so long, of whichever broadcast: what exceeds it is a 429; 0: no limit."""

    daily_quota: Annotated[int, Field(ge=1, le=DAILY_QUOTA_MAX)] | None = None
    """As the App API has: every answer says what is left, and what exceeds it is a 429 without `Retry-After`."""
