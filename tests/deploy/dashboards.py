"""The dashboards as they stand in deploy/grafana, their panels, and what these ask Prometheus."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tests.deploy.alert_rules import ROOT

GRAFANA: Final = ROOT / "deploy" / "grafana"
FILES: Final = sorted((GRAFANA / "dashboards").glob("*.json"))

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One expression of a panel, and how its series are called."""

    where: str
    expression: str
    legend: str


@cache
def dashboards() -> dict[str, Tree]:
    """All, by the name of their file."""
    return {path.stem: json.loads(path.read_text()) for path in FILES}


def panels(dashboard: Tree) -> list[Tree]:
    """Those that show something: rows are headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def questions() -> Iterator[Question]:
    """Everything that is asked, annotations included."""
    for name, dashboard in dashboards().items():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                where = f"{name}: {panel['title']}: {target['refId']}"
                yield Question(where=where, expression=target["expr"], legend=target["legendFormat"])
        for annotation in dashboard["annotations"]["list"]:
            where = f"{name}: annotation {annotation['name']}"
            yield Question(where=where, expression=annotation["expr"], legend=annotation["textFormat"])
