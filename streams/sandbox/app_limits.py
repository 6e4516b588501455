"""The App API's own limits, which Customer.io enforces: of sends, of triggers, and of all its other calls."""

import re
from dataclasses import dataclass
from math import ceil
from typing import Final

from streams.sandbox.account import APP_PATHS
from streams.sandbox.answers import SEND_PATHS
from streams.sandbox.faults import Faults
from streams.sandbox.rate_window import RateWindow
from streams.sandbox.switch import Switch

APP_LIMIT: Final = "app_limit"
SEND_LIMIT: Final = "send_limit"
BROADCAST_LIMIT: Final = "broadcast_limit"

TRIGGER_PATH: Final = re.compile(r"/v1/campaigns/[^/]+/triggers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many requests in so long."""

    count: int
    period_s: float


class AppLimits:
    """One window for each limit; a request counts for one of them."""

    def __init__(self, faults: Switch[Faults]) -> None:
        self._faults = faults
        self._windows: dict[str, RateWindow] = {}

    def exceeded(self, *, method: str, path: str, now: float) -> str | None:
        """Count the request; where it exceeds its limit, return the limit's name."""
        name = _name(method, path)
        limit = None if name is None else self._limit(name)
        if name is None or limit is None:
            return None
        window = self._windows.get(name)
        if window is None or window.period_s != limit.period_s:
            window = self._windows[name] = RateWindow(limit.period_s)
        return None if window.admits(now, limit.count) else name

    def in_words(self, name: str) -> str:
        """Return a limit as an answer names it."""
        limit = self._limit(name)
        assert limit is not None  # noqa: S101 - whoever exceeded it
        return f"{limit.count} requests per {limit.period_s:g}s"

    def retry_after_s(self, name: str, *, now: float) -> int:
        """Return in how many whole seconds, at least one, a request fits again."""
        return max(1, ceil(self._windows[name].frees_in_s(now)))

    def _limit(self, name: str) -> Limit | None:
        faults = self._faults.value
        match name:
            case "send_limit":
                count, period_s = faults.send_limit_per_s or 0, 1.0
            case "broadcast_limit":
                count, period_s = int(faults.broadcast_every_s > 0), faults.broadcast_every_s
            case _:
                count, period_s = faults.app_limit_per_s, 1.0
        return Limit(count=count, period_s=period_s) if count else None


def _name(method: str, path: str) -> str | None:
    if not path.startswith(APP_PATHS):
        return None
    if path.startswith(SEND_PATHS):
        return SEND_LIMIT
    return BROADCAST_LIMIT if method == "POST" and TRIGGER_PATH.fullmatch(path) else APP_LIMIT
