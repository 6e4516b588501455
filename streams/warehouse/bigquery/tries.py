"""How often something is tried within one call, and the waits in between; after that, the loader waits longer."""

from collections.abc import Callable, Iterator
from typing import Final

TRIES_MAX: Final = 5
PAUSE_S: Final = 0.25
PAUSE_S_MAX: Final = 4.0
TRYING_S_MAX: Final = 30.0
"""Whoever watches the loader wants to hear of it."""


def pauses(chance: Callable[[], float]) -> Iterator[float]:
    """Seconds before each further try, jittered by chance (0 to 1); at their end, the tries are used up."""
    for attempt in range(TRIES_MAX - 1):
        yield min(PAUSE_S * 2**attempt, PAUSE_S_MAX) * (0.5 + chance() / 2)
