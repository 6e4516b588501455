"""Decides which request goes wrong, and how; carrying it out is `wire`'s business."""

import random

from streams.sandbox.faults import FaultKind, Faults


class FaultPlan:
    """Draws a fault for each request, the same ones in the same order for the same seed."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._random = random.Random(faults.seed)  # noqa: S311 - repeatable is what it has to be, not unpredictable

    def replace(self, faults: Faults) -> None:
        """Go on with other faults, and from the start of their seed."""
        self.faults = faults
        self._random.seed(faults.seed)

    def draw(self) -> FaultKind | None:
        """Return what happens to the next request: a kind of fault, or nothing."""
        if self._random.random() >= self.faults.rate:
            return None
        return self._random.choice(self.faults.kinds)
