"""Decides which request meets a fault, and which; carrying it out is the business of `mishaps`."""

import random

from streams.sandbox.faults import Faults
from streams.sandbox.switch import Switch


class FaultPlan:
    """Draws a fault for each request, the same ones in the same order for the same seed."""

    def __init__(self, faults: Switch[Faults]) -> None:
        self._switch = faults
        self._random = random.Random()  # noqa: S311 - repeatable is what it has to be, not unpredictable
        self._started = self._start(faults.value)

    def draw(self, *, path: str, body: bytes) -> str | None:
        """Return what happens to the next request: a kind of fault, or nothing."""
        faults = self._switch.value
        if faults is not self._started:
            self._started = self._start(faults)
        if self.left == 0 or not _is_aimed_at(faults, path=path, body=body):
            return None
        if self._random.random() >= faults.rate:
            return None
        if self.left is not None:
            self.left -= 1
        return self._random.choice(faults.kinds)

    def _start(self, faults: Faults) -> Faults:
        self._random.seed(faults.seed)
        self.left = faults.count
        """So many faults are still to come; None: no end to them."""
        return faults


def _is_aimed_at(faults: Faults, *, path: str, body: bytes) -> bool:
    if faults.paths and not path.startswith(faults.paths):
        return False
    return faults.containing is None or faults.containing.encode() in body
