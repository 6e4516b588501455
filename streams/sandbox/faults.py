"""Decides which request goes wrong, and how; carrying it out is `wire`'s business."""

import random
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.errors import ConfigError
from streams.sandbox.options import FaultKind, Faults

_FAULTS = TypeAdapter(Faults)


def read_faults(given: Mapping[str, Any], *, current: Faults) -> Faults:
    """Return `current` with what is given instead; a `ConfigError` names every field that is wrong."""
    try:
        return _FAULTS.validate_python(asdict(current) | dict(given))
    except ValidationError as error:
        faults = ("{}: {}".format(".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors())
        raise ConfigError("; ".join(faults)) from None


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
