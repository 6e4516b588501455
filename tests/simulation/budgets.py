"""The bounds on requests: the fleet's rate in any second, and what may be asked of a Customer.io that is down."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.simulation.customerio import Departure
from tests.simulation.traces import Traces

SECOND_S = 1.0
BURST = 0.1
WINDOW_S = 10.0
MINUTE_S = 60.0
UNDER_WAY = 6  # requests that were sent before anybody could know
EPSILON = 1e-6


def check_budgets(traces: Traces) -> Iterator[str]:
    """Every violation."""
    departures = traces.customerio.departures
    yield from _rate(departures, traces.script.rate_per_s)
    for spell in traces.script.weather.spells:
        if spell.is_total:
            yield from _outage(traces, spell.since_s, spell.until_s)


def _rate(departures: list[Departure], rate_per_s: float) -> Iterator[str]:
    """At most the rate in any second, and each worker's burst on top."""
    first = 0
    for last, departure in enumerate(departures):
        while departures[first].at_s <= departure.at_s - SECOND_S + EPSILON:
            first += 1
        window = departures[first : last + 1]
        shares: dict[str, float] = defaultdict(float)
        for each in window:
            shares[each.worker] = max(shares[each.worker], each.rate_per_s)
        allowed = rate_per_s + sum(max(1.0, BURST * share) for share in shares.values())
        if len(window) > allowed + EPSILON:
            yield f"rate: {len(window)} requests in the second before {departure.at_s:.3f} s, {allowed:.1f} allowed"


def _outage(traces: Traces, since_s: float, until_s: float) -> Iterator[str]:
    """Under two a second for each worker, and after a minute under one."""
    sent: dict[str, list[float]] = defaultdict(list)
    for each in traces.customerio.departures:
        if since_s <= each.at_s < until_s:
            sent[each.worker].append(each.at_s)
    for worker, times in sent.items():
        began_s = max(since_s, traces.born[worker])
        for start_s, end_s in pairwise(_steps(began_s, until_s)):
            count = sum(start_s <= at_s < end_s for at_s in times)
            is_late = start_s >= began_s + MINUTE_S
            allowed = (1 if is_late else 2) * (end_s - start_s) + (UNDER_WAY if start_s == began_s else 0)
            if count > allowed:
                when = f"from {start_s:.1f} s to {end_s:.1f} s"
                yield f"outage: {worker} sent {count} requests {when}, {allowed:.0f} allowed"


def _steps(since_s: float, until_s: float) -> Iterator[float]:
    at_s = since_s
    while at_s <= until_s:
        yield at_s
        at_s += WINDOW_S
