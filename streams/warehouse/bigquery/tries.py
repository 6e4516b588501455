"""How often and how long something is tried: within one call, before the loader waits longer; and altogether."""

from collections.abc import Callable, Iterator
from typing import Final

from schemas.errors import ConfigError, UnavailableError
from streams.warehouse.bigquery.rest import ROLES

TRIES_MAX: Final = 5
PAUSE_S: Final = 0.25
PAUSE_S_MAX: Final = 4.0
TRYING_S_MAX: Final = 30.0
"""Whoever watches the loader wants to hear of it."""

TAKING_S_MAX: Final = 45.0
"""One takeover; with the tries before it and its last call it ends before the loader counts as stuck."""


TAKES_LONG: Final = "BigQuery is slow: the rest is loaded at the next try"


REFUSED_S_MAX: Final = 300.0
"""So long, BigQuery may say that we may not: also of what it does not know yet, and while roles change."""


class Refusals:
    """Since when BigQuery has refused us a table; rows that it takes end that."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since_s: dict[str, float] = {}

    def ended(self, table: str) -> None:
        """It has taken rows."""
        self._since_s.pop(table, None)

    def why(self, table: str, why: str) -> str:
        """What is to be waited for.

        Raises:
            ConfigError: it has lasted too long to pass by itself.
        """
        told = f"{why} for {table}: {ROLES}"
        now_s = self._clock()
        if now_s - self._since_s.setdefault(table, now_s) >= REFUSED_S_MAX:
            raise ConfigError(told)
        return told


class Until:
    """The end of a takeover, which each of its calls has to keep."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._end_s = clock() + TAKING_S_MAX

    def left(self, most_s: float) -> float:
        """How long the next call may take.

        Raises:
            UnavailableError: the time is used up.
        """
        left_s = self._end_s - self._clock()
        if left_s <= 0:
            raise UnavailableError(TAKES_LONG)
        return min(left_s, most_s)


def pauses(chance: Callable[[], float]) -> Iterator[float]:
    """Seconds before each further try, jittered by chance (0 to 1); at their end, the tries are used up."""
    for attempt in range(TRIES_MAX - 1):
        yield min(PAUSE_S * 2**attempt, PAUSE_S_MAX) * (0.5 + chance() / 2)
