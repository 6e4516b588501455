"""The broadcasts' triggers that were accepted or failed, for the calls that ask about them; bounded."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

TRIGGERS_MAX: Final = 1000
"""Beyond it the oldest is forgotten."""

ERRORS_MAX: Final = 200
"""So many of a trigger's errors are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggered:
    """One trigger; it is processed at once. Times are unix seconds."""

    id: int
    broadcast: int
    created_at: int
    errors: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the trigger as Customer.io shows it."""
        return {
            "id": self.id,
            "broadcast_id": self.broadcast,
            "created_at": self.created_at,
            "processed_at": self.created_at,
        }


class Triggers:
    """The newest triggers by their numbers, which are counted through all broadcasts."""

    def __init__(self, *, triggers_max: int = TRIGGERS_MAX) -> None:
        self._triggers_max = triggers_max
        self._kept: OrderedDict[int, Triggered] = OrderedDict()
        self.count = 0

    def add(self, broadcast: int, *, errors: list[str], now: float) -> Triggered:
        """Number and keep a trigger."""
        self.count += 1
        added = Triggered(id=self.count, broadcast=broadcast, created_at=int(now), errors=tuple(errors[:ERRORS_MAX]))
        self._kept[added.id] = added
        if len(self._kept) > self._triggers_max:
            self._kept.popitem(last=False)
        return added

    def of(self, broadcast: int) -> list[Triggered]:
        """Return the triggers of one broadcast, the oldest first."""
        return [each for each in self._kept.values() if each.broadcast == broadcast]

    def find(self, broadcast: int, trigger: int) -> Triggered | None:
        """Return one trigger."""
        found = self._kept.get(trigger)
        return found if found is not None and found.broadcast == broadcast else None
