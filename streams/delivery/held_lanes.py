"""Why partitions are held: one reason for each, asked for when somebody looks."""

from collections import Counter
from collections.abc import Collection, Iterator

from streams.customerio.breaker import Standing
from streams.customerio.senders import LIMITS
from streams.delivery.build import Delivery
from streams.progress import Progress


def held_lanes(delivery: Delivery) -> Counter[tuple[str, str]]:
    """How many partitions are held now, by topic and reason: what several things hold counts for the first of them."""
    reasons: dict[tuple[str, int], str] = {}
    for reason, lanes in _by_reason(delivery):
        for lane in lanes:
            topic, partition = lane.of.get("topic"), lane.of.get("partition")
            if reason and isinstance(topic, str) and isinstance(partition, int):  # else it is the take-over
                reasons.setdefault((topic, partition), reason)
    return Counter((topic, reason) for (topic, _), reason in reasons.items())


def _by_reason(delivery: Delivery) -> Iterator[tuple[str, Collection[Progress]]]:
    courier, messenger = delivery.courier, delivery.messenger
    breakers = {breaker.api: breaker for breaker in delivery.breakers}
    yield "flood", delivery.guard.held()
    yield "kafka", delivery.journal.paused() if delivery.lease.is_held else delivery.lanes.working()
    yield _why(breakers["track"], "rate" if courier.is_rate_tight() else "retry"), courier.held()
    for kind, api in LIMITS.items():
        yield _why(breakers[api], "rate" if messenger.is_rate_tight(kind) else ""), messenger.held(kind)


def _why(breaker: Standing, else_: str) -> str:
    return breaker.reason or else_
