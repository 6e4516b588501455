"""Operations that are accepted and not applied yet, as Customer.io's are for a while; bounded. It applies nothing."""

import heapq
import random
from collections.abc import Iterator
from typing import Final

from streams.sandbox.chronicle import Entry
from streams.sandbox.options import SandboxOptions

PENDING_MAX: Final = 100_000
"""Beyond it the next one is due at once."""


class Backlog:
    """Entries by the time at which they are due; the same ones in the same order for the same seed."""

    def __init__(self, options: SandboxOptions, *, pending_max: int = PENDING_MAX) -> None:
        self._delay_s = options.apply_after_s
        self._is_shuffled = options.applies_out_of_order
        self._random = random.Random(options.apply_seed)  # noqa: S311 - repeatable is what it has to be
        self._pending_max = pending_max
        self._entries: list[tuple[float, int, Entry]] = []

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_used(self) -> bool:
        """Whether an operation waits at all."""
        return self._delay_s > 0

    def put(self, entry: Entry, *, now: float) -> None:
        """Let an entry wait."""
        share = self._random.random() if self._is_shuffled else 1.0
        heapq.heappush(self._entries, (now + self._delay_s * share, entry.seq, entry))

    def due(self, now: float) -> Iterator[tuple[Entry, float]]:
        """Yield what is due, with the time since when, and forget it."""
        while self._entries and (self._entries[0][0] <= now or len(self._entries) > self._pending_max):
            due_at, _, entry = heapq.heappop(self._entries)
            yield entry, min(due_at, now)
