"""Two kinds of metric that prometheus_client lacks: a histogram filled in bulk, and gauges read when somebody looks."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily

from streams.metrics.metric import GaugeMetric, HistogramMetric

Reading = tuple[Sequence[str], float]

END_TO_END_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


class EndToEnd:
    """A histogram that takes a whole chunk at once: one observation per record would cost more than delivering it."""

    def __init__(self, metric: HistogramMetric) -> None:
        self._metric = metric
        self._counts: dict[str, list[int]] = {}
        self._sums: defaultdict[str, float] = defaultdict(float)

    def observe(self, topic: str, seconds: Iterable[float]) -> None:
        """Count the seconds from each record's Kafka timestamp to its conclusion."""
        counts = self._counts.setdefault(topic, [0] * (len(END_TO_END_S) + 1))
        ordered = sorted(seconds)  # nearly so already: a search for each bound instead of one for each record
        places = [0, *(bisect_right(ordered, bound) for bound in END_TO_END_S), len(ordered)]
        for bucket, (begin, end) in enumerate(pairwise(places)):
            counts[bucket] += end - begin
        self._sums[topic] += sum(ordered)

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Called by the registry."""
        metric = self._metric
        family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.label_names)
        bounds = [*(str(bound) for bound in END_TO_END_S), "+Inf"]
        for topic, counts in self._counts.items():
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            family.add_metric([topic], buckets=buckets, sum_value=self._sums[topic])
        yield family


class Live:
    """Gauges that are asked for when somebody looks: `read` gives (labels, value) pairs."""

    def __init__(self, metric: GaugeMetric, read: Callable[[], Iterable[Reading]]) -> None:
        self._metric, self._read = metric, read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Called by the registry."""
        metric = self._metric
        family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.label_names)
        for labels, value in self._read():
            family.add_metric(labels, value)
        yield family
