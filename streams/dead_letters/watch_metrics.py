"""What the watch tells Prometheus: worked out when somebody looks."""

import time
from collections.abc import Iterator, Mapping
from itertools import product
from typing import get_args

from prometheus_client import CollectorRegistry

from schemas.outcome import DeadReason
from streams.clock import now_ms
from streams.dead_letters.open_letters import Kind, Standing, joined
from streams.dead_letters.watch import Watch
from streams.kafka.topic_plan import INPUTS
from streams.metrics import declared
from streams.metrics.collectors import Reading
from streams.metrics.labels import OTHER
from streams.metrics.registry import live, own_registry, tell_standing
from streams.settings import Settings


def watch_registry(watch: Watch, settings: Settings) -> CollectorRegistry:
    """Give its metrics; what is open is told once all letters have been read, of every kind that there can be."""
    registry = own_registry()
    topics = frozenset(map(settings.topic, INPUTS))

    def opened() -> Iterator[Reading]:
        return ((kind, standing.letters) for kind, standing in _of_every_kind(watch.standing, topics).items())

    def oldest() -> Iterator[Reading]:
        return ((kind, _age_s(standing.oldest_ms)) for kind, standing in _of_every_kind(watch.standing, topics).items())

    tell_standing(registry, settings, lambda: watch.standing is not None)
    live(declared.DLQ_OPEN, opened, registry)
    live(declared.DLQ_OLDEST, oldest, registry)
    live(declared.DLQ_LAG, lambda: [((topic,), left) for topic, left in watch.behind.items()], registry)
    live(declared.DLQ_LAG_SECONDS, lambda: [((), time.monotonic() - watch.level_s)], registry)
    return registry


def _of_every_kind(standing: Mapping[Kind, Standing] | None, topics: frozenset[str]) -> Mapping[Kind, Standing]:
    """Topics that are none of ours, or no longer, count as one."""
    if standing is None:
        return {}
    every = dict.fromkeys(product(sorted({*topics, OTHER}), get_args(DeadReason)), Standing(0, None))
    for (topic, reason), found in standing.items():
        kind = (topic if topic in topics else OTHER, reason)
        every[kind] = joined(every[kind], found)
    return every


def _age_s(since_ms: int | None) -> float:
    return 0.0 if since_ms is None else max(0, now_ms() - since_ms) / 1000
