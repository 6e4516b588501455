"""Keeps a library that repeats itself from filling the log: one line in a while, and how many there were."""

import logging
import time
from collections.abc import Callable, Collection

EVERY_S = 10.0


class Repeats(logging.Filter):
    """Of these loggers and those below them, lets a kind of line, the text without its values, pass rarely."""

    def __init__(
        self, loggers: Collection[str], *, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._prefixes = tuple(f"{name}." for name in loggers)
        self._every_s = every_s
        self._clock = clock
        self._passed: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it passes; one that does says how many of its kind did not."""
        if not f"{record.name}.".startswith(self._prefixes):
            return True
        kind = (record.name, str(record.msg))
        passed_s, held_back = self._passed.get(kind, (float("-inf"), 0))
        now_s = self._clock()
        if now_s - passed_s < self._every_s:
            self._passed[kind] = (passed_s, held_back + 1)
            return False
        self._passed[kind] = (now_s, 0)
        if held_back:
            record.msg = f"{record.msg} (and {held_back} times more)"
        return True
