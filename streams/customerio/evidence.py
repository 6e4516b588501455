"""What other requests tell about one that keeps failing: is it its own fault, or the weather's? Asks nobody itself.

A record is given up only when others were accepted meanwhile, and when the share of requests that fail anyway cannot
explain that it failed so often: neither an outage nor a bad hour makes dead letters of good records.
"""

import math
from collections import deque

ACCEPTED_MAX = 8_192
ACCEPTED_EVERY_S = 0.05  # one of so many seconds is enough, and bounds the memory to seven minutes' worth
FIRST_TRIES = 50
WEATHER_S = 300.0  # where next to nobody is left to try, bad weather must not be remembered for ever
CHANCE_MAX = 1e-4  # so unlikely must it be that bad weather alone made a record fail so often
FAILURES_MIN = 2  # with one alone, nothing can have been accepted in between
FAILURES_MAX = 100
REGION_S_MIN = 60.0
REGION_S_MAX = 3_600.0


class Evidence:
    """`attempts_max` is RETRY_ATTEMPTS; times are the event loop's seconds."""

    def __init__(self, attempts_max: int) -> None:
        self.failures_min = max(attempts_max, FAILURES_MIN)
        self._accepted: deque[float] = deque(maxlen=ACCEPTED_MAX)
        self._last_accepted_s = float("-inf")
        self._first_tries: deque[tuple[float, bool]] = deque(maxlen=FIRST_TRIES)
        self._region_due_s = float("-inf")
        self._region_pause_s = REGION_S_MIN

    def accepted(self, sent_s: float) -> None:
        """Some record was accepted by a request sent then."""
        self._last_accepted_s = max(self._last_accepted_s, sent_s)
        if not self._accepted or sent_s >= self._accepted[-1] + ACCEPTED_EVERY_S:
            self._accepted.append(sent_s)

    def first_try(self, now_s: float, *, is_accepted: bool) -> None:
        """A new request had its first answer."""
        self._first_tries.append((now_s, is_accepted))

    def explained(self) -> None:
        """A record was at fault: the first try that it spoiled says nothing about the weather."""
        spoiled = next((each for each in self._first_tries if not each[1]), None)
        if spoiled:
            self._first_tries.remove(spoiled)

    def others_accepted(self, after_s: float, before_s: float) -> bool:
        """Whether a request that was sent in between was accepted, `before_s` left out."""
        return any(after_s <= sent_s < before_s for sent_s in (self._last_accepted_s, *reversed(self._accepted)))

    def failures_needed(self, now_s: float) -> int:
        """So many failures in a row are a record's own; the one first try that it spoiled itself does not count."""
        weather = [is_accepted for at_s, is_accepted in self._first_tries if at_s >= now_s - WEATHER_S]
        failed = max(0, weather.count(False) - 1)
        others = max(1, len(weather) - 1)
        if failed == 0:
            return self.failures_min
        needed = math.ceil(math.log(CHANCE_MAX) / math.log((failed + 1) / (others + 2)))
        return min(max(self.failures_min, needed), FAILURES_MAX)

    def may_ask_region(self, now_s: float) -> bool:
        """Whether the region's word alone may convict: rarely, because it may work while data is not taken."""
        return now_s >= self._region_due_s

    def region_convicted(self, now_s: float) -> None:
        """It did; the next time is twice as far off, unless there was none for long."""
        if now_s > self._region_due_s + REGION_S_MAX:
            self._region_pause_s = REGION_S_MIN
        self._region_due_s = now_s + self._region_pause_s
        self._region_pause_s = min(2 * self._region_pause_s, REGION_S_MAX)
