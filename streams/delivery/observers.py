"""Who is told of conclusions, one after the other."""

from collections.abc import Sequence

from agents.ports import Counts, Observer
from schemas.chunk import Chunk
from schemas.conclusion import Conclusion


class Observers:
    """All of them as one."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def concluded(self, chunk: Chunk, counts: Counts, conclusions: Sequence[Conclusion], now_ms: int) -> None:
        """A chunk's conclusions are committed."""
        for each in self._observers:
            each.concluded(chunk, counts, conclusions, now_ms)

    def sent(self, chunk: Chunk, conclusion: Conclusion, now_ms: int) -> None:
        """The conclusion of one send is committed."""
        for each in self._observers:
            each.sent(chunk, conclusion, now_ms)
