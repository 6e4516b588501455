"""Counts what was let through in the last so many seconds; knows no limit by itself, nor a clock."""

from collections import deque


class RateWindow:
    """A sliding window: at no time have more than the limit been let through in the `period_s` before."""

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self._let_through: deque[float] = deque()

    def admits(self, now: float, limit: int | None) -> bool:
        """Whether one more fits now; it is counted if so. Without a limit everything does, and nothing is counted."""
        if limit is None:
            self._let_through.clear()
            return True
        if self.left(now, limit) == 0:
            return False
        self._let_through.append(now)
        return True

    def left(self, now: float, limit: int) -> int:
        """How many more fit now."""
        while self._let_through and self._let_through[0] <= now - self.period_s:
            self._let_through.popleft()
        return max(0, limit - len(self._let_through))

    def frees_in_s(self, now: float) -> float:
        """How long until one more fits, when none does now."""
        return self._let_through[0] + self.period_s - now if self._let_through else 0.0
