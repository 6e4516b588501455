"""A process's own registry, with what every process tells of itself, and how declared metrics come into it."""

import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.process_collector import ProcessCollector
from pydantic import SecretStr

from streams.metrics.collectors import Live, Reading
from streams.metrics.declared import BUILD, READY, SECRET_AGE
from streams.metrics.metric import CounterMetric, GaugeMetric, HistogramMetric
from streams.settings import Settings


def own_registry() -> CollectorRegistry:
    """Give a new one: two workers in one process share nothing."""
    registry = CollectorRegistry()
    ProcessCollector(namespace="cio", registry=registry)  # every name of ours starts so
    live(BUILD, lambda: [((version("customerio-streams"), platform.python_version()), 1)], registry)
    return registry


def tell_standing(registry: CollectorRegistry, settings: Settings, is_ready: Callable[[], bool]) -> None:
    """Add whether the process is ready, and how old its secrets are."""
    files = {name: path for name, path in settings.files.items() if isinstance(getattr(settings, name), SecretStr)}
    live(READY, lambda: [((), is_ready())], registry)
    live(SECRET_AGE, lambda: _ages(files, time.time()), registry)


def _ages(files: Mapping[str, Path], now_s: float) -> Iterable[Reading]:
    """Of those that are there: what reads them complains about one that is not."""
    for name, path in files.items():
        try:
            changed_s = path.stat().st_mtime
        except OSError:
            continue
        yield (name,), max(0.0, now_s - changed_s)


def counter(metric: CounterMetric, registry: CollectorRegistry) -> Counter:
    """Give it in this registry."""
    return Counter(metric.name, metric.meaning, metric.label_names, registry=registry)


def histogram(metric: HistogramMetric, buckets: Sequence[float], registry: CollectorRegistry) -> Histogram:
    """Give it in this registry."""
    return Histogram(metric.name, metric.meaning, metric.label_names, buckets=buckets, registry=registry)


def live(metric: GaugeMetric, read: Callable[[], Iterable[Reading]], registry: CollectorRegistry) -> None:
    """Add a gauge whose readings, (label values, value), are taken when somebody looks."""
    registry.register(Live(metric, read))
