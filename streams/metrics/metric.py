"""What is said of a metric where it is declared."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from streams.metrics.labels import Label

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A metric's name, what it tells, its labels, and what an operator looks for in it."""

    kind: ClassVar[Kind]
    name: str = field(kw_only=False)
    meaning: str = field(kw_only=False)
    labels: tuple[Label, ...] = ()
    watch: str = ""

    @property
    def scraped(self) -> str:
        """Its name as Prometheus has it; the series of a histogram end in `_bucket`, `_sum` and `_count`."""
        return self.name

    @property
    def label_names(self) -> tuple[str, ...]:
        """Those of its labels, in their order."""
        return tuple(label.name for label in self.labels)


class CounterMetric(Declared):
    """One that only grows."""

    __slots__ = ()
    kind = "counter"

    @property
    def scraped(self) -> str:
        """Its name as Prometheus has it."""
        return f"{self.name}_total"


class GaugeMetric(Declared):
    """One that is what it is now."""

    __slots__ = ()
    kind = "gauge"


class HistogramMetric(Declared):
    """One that is a spread of values."""

    __slots__ = ()
    kind = "histogram"
