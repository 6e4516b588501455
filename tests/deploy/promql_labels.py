"""Reads PromQL: which series an expression asks for, which labels its result has, which names do not exist."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import promql_parser
from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector
from promql_parser import AggModifierType, AggregateExpr, BinaryExpr, Call, Expr, LabelModifierType

from streams.metrics.declared import OF_PROCESS
from streams.metrics.metric import Declared

TARGET: Final = frozenset({"job", "instance", "pod", "namespace", "environment"})
"""What Prometheus, or Kubernetes, knows of a target; the last two tell environments apart."""

ALERT: Final = TARGET | {"alertname", "alertstate", "severity", "topic", "api", "reason", "secret"}
ON_TARGETS: Final = {"up": TARGET, "ALERTS": ALERT}
SETS: Final = frozenset({"or", "and", "unless"})
CHOSEN: Final = ("namespace", "topic", "instance", "api", "job")
"""The dashboards' variables; all of each, as they are at first."""

GRAFANA: Final = {"$__rate_interval": "1m", **{f"${name}": ".*" for name in CHOSEN}}

Series = Mapping[str, frozenset[str]]


def declared_series() -> dict[str, frozenset[str]]:
    """The names as scraped, and the labels of each, its target's included; a histogram's are three."""
    found = dict(ON_TARGETS)
    for metric in chain.from_iterable(OF_PROCESS.values()):
        found |= dict.fromkeys(_scraped(metric), TARGET | set(metric.label_names))
        if metric.kind == "histogram":
            found[f"{metric.name}_bucket"] |= {"le"}
    registry = CollectorRegistry()
    ProcessCollector(namespace="cio", registry=registry)
    return found | {sample.name: TARGET for family in registry.collect() for sample in family.samples}


def _scraped(metric: Declared) -> list[str]:
    if metric.kind == "histogram":
        return [f"{metric.name}{suffix}" for suffix in ("_bucket", "_sum", "_count")]
    return [metric.scraped]


def in_prometheus(expression: str) -> str:
    """A dashboard's expression, with all that Grafana would put into it."""
    for name, value in GRAFANA.items():
        expression = expression.replace(name, value)
    return expression


@dataclass(slots=True)
class Reading:
    """What was found in an expression: the names that it asks for, and what is wrong with it."""

    series: Series
    names: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def labels(self, expr: Expr) -> frozenset[str]:
        """Those of its result; a number has none."""
        found: frozenset[str] = frozenset()
        match expr:
            case promql_parser.VectorSelector():
                found = self._selected(expr)
            case promql_parser.MatrixSelector():
                found = self._selected(expr.vector_selector)
            case AggregateExpr():
                found = self._aggregated(expr)
            case BinaryExpr():
                found = self._joined(expr)
            case Call():
                found = self._called(expr)
            case promql_parser.ParenExpr() | promql_parser.SubqueryExpr() | promql_parser.UnaryExpr():
                found = self.labels(expr.expr)
            case _:
                pass
        return found

    def _selected(self, selector: promql_parser.VectorSelector) -> frozenset[str]:
        name = selector.name or ""
        self.names.add(name)
        if name not in self.series:
            self.faults.append(f"nothing is called {name!r}")
            return frozenset()
        self._check((matcher.name for matcher in selector.matchers.matchers), self.series[name], name)
        return self.series[name]

    def _aggregated(self, expr: AggregateExpr) -> frozenset[str]:
        inner = self.labels(expr.expr)
        if expr.modifier is None:
            return inner if str(expr.op) in {"topk", "bottomk"} else frozenset()
        named = frozenset(expr.modifier.labels)
        self._check(named, inner, f"{expr.op} over")
        return named if expr.modifier.type == AggModifierType.By else inner - named

    def _joined(self, expr: BinaryExpr) -> frozenset[str]:
        left, right = self.labels(expr.lhs), self.labels(expr.rhs)
        matching = expr.modifier.matching if expr.modifier else None
        if matching is not None:
            self._check(matching.labels, left & right, f"{expr.op} on")
        elif left and right and left != right and str(expr.op) != "or":
            self.faults.append(f"{expr.op} matches nothing: {sorted(left)} and {sorted(right)}")
        if matching is not None and matching.type == LabelModifierType.Include and str(expr.op) not in SETS:
            return frozenset(matching.labels)
        return left | right if str(expr.op) == "or" else left or right

    def _called(self, expr: Call) -> frozenset[str]:
        found: frozenset[str] = frozenset().union(*(self.labels(each) for each in expr.args))
        if expr.func.name == "histogram_quantile":
            self._check({"le"}, found, expr.func.name)
            return found - {"le"}
        return found

    def _check(self, named: Iterable[str], there: Collection[str], where: str) -> None:
        missing = sorted(set(named) - set(there))
        if missing:
            self.faults.append(f"{where}: no label {', '.join(missing)}")


def read(expression: str, series: Series) -> tuple[Reading, frozenset[str]]:
    """What it asks for, what is wrong with it, and the labels of its result."""
    reading = Reading(series)
    return reading, reading.labels(promql_parser.parse(in_prometheus(expression)))
