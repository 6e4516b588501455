"""What goes wrong in a sandbox: the switch, and how it is read. `fault_plan` draws, `wire` carries out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from schemas.errors import ConfigError

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


_FAULTS = TypeAdapter(Faults)


def read_faults(given: Mapping[str, Any], *, current: Faults) -> Faults:
    """Return `current` with what is given instead; a `ConfigError` names every field that is wrong."""
    try:
        return _FAULTS.validate_python(asdict(current) | dict(given))
    except ValidationError as error:
        faults = ("{}: {}".format(".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors())
        raise ConfigError("; ".join(faults)) from None
