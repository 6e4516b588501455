"""What a worker tells of how it stands: read when somebody looks, so that it costs nothing otherwise."""

from collections.abc import Callable, Mapping
from typing import Final

from streams.delivery.build import Delivery
from streams.delivery.held_lanes import held_lanes
from streams.kafka.lag import Lag
from streams.metrics import declared
from streams.metrics.registry import tell_standing
from streams.settings import Settings

ENTRY_BYTES: Final[Mapping[str, int]] = {"people": 200, "events": 115, "sends": 240}
"""What one entry of the ledger takes in memory on an average, as measured."""


def add_gauges(delivery: Delivery, settings: Settings, lag: Lag, is_ready: Callable[[], bool]) -> None:
    """Add them all."""
    live, guard, owned = delivery.metrics.live, delivery.guard, delivery.assignment
    tell_standing(delivery.metrics.registry, settings, is_ready)
    live(declared.LAG, lag.records)
    live(declared.LAG_SECONDS, lag.seconds)
    live(declared.OWNED, lambda: [((), len(owned.owned))])
    live(declared.BREAKER, lambda: [((b.api, b.state, b.reason), 1) for b in delivery.breakers])
    live(declared.FLOOD_HELD, lambda: list(guard.held_by_reason().items()))
    live(declared.HELD_LANES, lambda: list(held_lanes(delivery).items()))
    _add_rates(delivery)
    _add_ledger(delivery)


def _add_rates(delivery: Delivery) -> None:
    live, budgets = delivery.metrics.live, delivery.budgets
    throttles = budgets.throttles
    live(declared.RATE, lambda: [((api,), throttle.rate_per_s) for api, throttle in throttles.items()])
    live(declared.RATE_WAIT, lambda: [((api,), throttle.waited_s) for api, throttle in throttles.items()])
    live(declared.USEFUL_REPLICAS, lambda: [((), budgets.useful_replicas)] if budgets.partitions else [])


def _add_ledger(delivery: Delivery) -> None:
    live, ledger = delivery.metrics.live, delivery.ledger
    counts = {"people": ledger.person_count, "events": ledger.event_count, "sends": ledger.send_count}
    live(declared.LEDGER_ENTRIES, lambda: [((kind,), count()) for kind, count in counts.items()])
    live(declared.LEDGER_BYTES, lambda: [((), sum(ENTRY_BYTES[kind] * count() for kind, count in counts.items()))])
    live(declared.LEDGER_EVICTIONS, lambda: [((), ledger.evictions)])
    live(declared.SEND_EVICTIONS, lambda: [((), ledger.send_evictions)])
