"""How the chunk of each lane gets on: touched at every stage, read by the watchdog. Nothing here is done per record."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True, eq=False, kw_only=True)
class Progress:
    """Where the work on something is, and for how long without a sign of life, as the watchdog counts.

    It names the chunk and does not hold it: a connection keeps the context that it was opened in.
    """

    of: Mapping[str, object]
    stage: str
    idle_s: float = 0.0


_WORKED_FOR: ContextVar[Sequence[Progress]] = ContextVar("worked_for", default=())


def work_for(lanes: Sequence[Progress]) -> None:
    """Say for whom this task, and every task that it starts, works from now on."""
    _WORKED_FOR.set(lanes)


def worked_for() -> Sequence[Progress]:
    """Those that this task works for; nobody outside of a lane."""
    return _WORKED_FOR.get()


def touch(stage: str, lanes: Sequence[Progress] | None = None) -> None:
    """They, or those that this task works for, have got on to this stage."""
    for progress in worked_for() if lanes is None else lanes:
        progress.stage, progress.idle_s = stage, 0.0
