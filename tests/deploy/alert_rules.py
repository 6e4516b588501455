"""The rules as they stand in deploy/prometheus/rules.yml, and the series that they record."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import yaml

from tests.deploy.promql_labels import declared_series, read

ROOT: Final = Path(__file__).parents[2]
PROMETHEUS: Final = ROOT / "deploy" / "prometheus"
RULES: Final = PROMETHEUS / "rules.yml"
WATCHDOG: Final = "CioWatchdog"

Rule = Mapping[str, Any]


def rules() -> list[Rule]:
    """All, in their order."""
    groups = cast("list[dict[str, list[Rule]]]", yaml.safe_load(RULES.read_text())["groups"])
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, Rule]:
    """Those that tell somebody, by name."""
    return {str(rule["alert"]): rule for rule in rules() if "alert" in rule}


def all_series() -> dict[str, frozenset[str]]:
    """What is scraped, and what is recorded of it."""
    series = declared_series()
    for rule in rules():
        if "record" in rule:
            series[str(rule["record"])] = read(str(rule["expr"]), series)[1]
    return series
