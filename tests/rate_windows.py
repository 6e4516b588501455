"""What the rate's bound says about the moments of requests; it measures nothing itself."""

import math
from bisect import bisect_right
from collections.abc import Sequence


def busiest_second(times: Sequence[float]) -> int:
    """The most of these moments that lie within a second, wherever it begins."""
    ordered = sorted(times)
    return max((bisect_right(ordered, first + 1) - number for number, first in enumerate(ordered)), default=0)


def most_in_a_second(rate_per_s: float, workers: int) -> int:
    """What a fleet may send: its rate and one burst of a tenth, at least a request for each worker."""
    return math.floor(rate_per_s + max(rate_per_s / 10, workers))
