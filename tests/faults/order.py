"""Holds what arrived for one person against what had to arrive: first applications in topic order, nothing foreign.

Allowed, exactly: an operation arrives for the first time when all before it have arrived. What has arrived may arrive
again (a batch is sent again when its worker died before it could commit), but then all that follows it arrives again
too, so that nothing old has the last word. An identify may stand for a run of neighbouring ones; then it carries all
that these say, later values winning. What the sandbox ignores as older does no harm and counts for nothing here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.faults.reference import Send

OLDER: Final = "older"  # the sandbox ignores an identify whose attributes all have newer values, as Customer.io does


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One operation in the sandbox's log."""

    seq: int
    action: str
    attributes: dict[str, Any]
    timestamp: int | None
    why_ignored: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`violation` is None when all is well; `repeats` counts arrivals that had come before.

    `stale` are log lines of operations that had an effect though a newer one had come, and that were not followed by
    all up to that newer one: a worker that did not know that it had lost the partition sent them.
    """

    violation: str | None
    repeats: int = 0
    stale: tuple[int, ...] = ()


def check_order(sends: Sequence[Send], arrivals: Sequence[Arrival]) -> Verdict:
    """Follow the arrivals; where an arrival may mean two things, follow both."""
    reached = {-1}  # the last expected operation that has arrived: all possible readings
    latest, latest_seq = {-1}, 0  # what the newest arrival may have been; a batch is sent again from some point on
    repeats, stale = 0, []
    for arrival in arrivals:
        found = [(first, last) for last in range(len(sends)) for first in _readings(sends, last, arrival)]
        after = {max(at, last) for at in reached for first, last in found if first <= at + 1}
        if not after:
            return Verdict(violation=_describe(arrival, found, max(reached)))
        repeats += after <= reached
        reached = after
        following = {last for at in latest for first, last in found if first <= at + 1}
        if arrival.why_ignored == OLDER:
            latest |= following  # a link of what is sent again, or a late word that harms nobody
            continue
        if not following:
            stale.append(latest_seq)
        latest, latest_seq = following or {last for _, last in found}, arrival.seq
    if len(sends) - 1 not in reached:
        return Verdict(violation=f"operations {max(reached) + 1} to {len(sends) - 1} of this person never arrived")
    if len(sends) - 1 not in latest:
        stale.append(latest_seq)
    return Verdict(violation=None, repeats=repeats, stale=tuple(stale))


def _readings(sends: Sequence[Send], last: int, arrival: Arrival) -> list[int]:
    """The expected operations that `arrival` may begin with when it ends with `last`; mostly none or one."""
    if sends[last].action != arrival.action:
        return []
    if arrival.action != "identify":
        return [last]
    bounds = sends[last].timestamp
    if bounds is None or arrival.timestamp is None or not bounds[0] <= arrival.timestamp <= bounds[1]:
        return []
    if sends[last].attributes["last_seen_at"] != arrival.attributes.get("last_seen_at"):
        return []
    return _beginnings(sends, last, arrival.attributes)


def _beginnings(sends: Sequence[Send], last: int, attributes: dict[str, Any]) -> list[int]:
    found, merged = [], dict[str, Any]()
    for first in range(last, -1, -1):
        if sends[first].action != "identify":
            break
        merged = {**sends[first].attributes, **merged}
        if merged == attributes:
            found.append(first)
    return found


def _describe(arrival: Arrival, found: list[tuple[int, int]], reached: int) -> str:
    what = f"{arrival.action} (log line {arrival.seq})"
    if not found:
        return f"{what} is none of the expected operations"
    return f"{what} is expected operation {found[0][0]} to {found[0][1]}, but only those up to {reached} had arrived"
