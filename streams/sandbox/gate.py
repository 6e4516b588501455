"""Decides what becomes of each request before any call sees it: the account's region, the limits, the faults."""

from dataclasses import dataclass
from typing import Final

from streams.sandbox.account import REGION_PATH, Account, Region, may_call
from streams.sandbox.app_limits import AppLimits
from streams.sandbox.fault_plan import FaultPlan
from streams.sandbox.faults import Faults
from streams.sandbox.rate_window import RateWindow
from streams.sandbox.switch import Switch

DAY_S: Final = 86_400.0

WRONG_REGION: Final = "wrong_region"
RATE_LIMIT: Final = "rate_limit"
DAILY_QUOTA: Final = "daily_quota"
SOFT_LIMIT: Final = "soft_limit"
"""What may happen to a request besides the kinds of fault that are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What the gate looks at: the path and body as they were sent, and who sent them."""

    method: str
    path: str
    authorization: str
    body: bytes


class Gate:
    """One per sandbox. Only what passes the region counts for a limit, and what a limit refuses does not."""

    def __init__(self, *, region: Region, account: Switch[Account], faults: Switch[Faults]) -> None:
        self.region = region
        self.account = account
        self.faults = faults
        self.plan = FaultPlan(faults)
        self._second = RateWindow(1.0)
        self._soft_second = RateWindow(1.0)
        self._day = RateWindow(DAY_S)
        self.app_limits = AppLimits(faults)

    @property
    def is_wrong_region(self) -> bool:
        """Whether the account is in another region than this host."""
        return self.account.value.region != self.region

    def stop(self, caller: Caller, *, now: float) -> str | None:
        """Return what happens to the request instead of what should; None lets it pass."""
        faults = self.faults.value
        if self.is_wrong_region and caller.path != REGION_PATH:
            return WRONG_REGION
        if not self._second.admits(now, faults.rate_limit_per_s):
            return RATE_LIMIT
        if not self._day.admits(now, faults.daily_quota):
            return DAILY_QUOTA
        limit = self.app_limits.exceeded(method=caller.method, path=caller.path, now=now)
        if limit is not None:
            return limit
        kind = self.plan.draw(path=caller.path, body=caller.body)
        if kind is None and self._is_dropped(caller, now=now):
            return SOFT_LIMIT
        return kind

    def quota(self, now: float) -> tuple[int, int] | None:
        """Return the daily quota and what is left of it; None where there is none."""
        quota = self.faults.value.daily_quota
        return None if quota is None else (quota, self._day.left(now, quota))

    def _is_dropped(self, caller: Caller, *, now: float) -> bool:
        # Whoever brings no data, or is not let in, has nothing to lose.
        if caller.method == "GET" or not may_call(caller.path, caller.authorization, self.account.value):
            return False
        return not self._soft_second.admits(now, self.faults.value.soft_limit_per_s)
