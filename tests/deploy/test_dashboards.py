"""The dashboards: what Grafana knows, what Prometheus has, and what a person needs to read a panel."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.deploy.alert_rules import ROOT, alerts, all_series
from tests.deploy.dashboards import FILES, GRAFANA, Tree, dashboards, panels, questions
from tests.deploy.prometheus_tools import promtool
from tests.deploy.promql_labels import in_prometheus, read

NAMES = ["customerio", "dead-letters", "kafka", "overview", "record"]
UNITS = {value for value in vars(units).values() if isinstance(value, str)}
OF_PROMETHEUS = {".annotations.list[].textFormat", ".annotations.list[].titleFormat"}
"""Keys of the data source's own, which Grafana's schema leaves open."""


def unknown(tree: Any, known: Any, path: str = "") -> set[str]:  # noqa: ANN401 - JSON
    """What of a tree did not come back from the schema."""
    if isinstance(tree, dict):
        lost = {f"{path}.{key}" for key in tree if key not in known}
        return lost.union(*(unknown(tree[key], known[key], f"{path}.{key}") for key in tree if key in known))
    if isinstance(tree, list):
        assert len(tree) == len(known)
        return set().union(*(unknown(*pair, f"{path}[]") for pair in zip(tree, known, strict=True)))
    return set() if tree == known else {f"{path} {tree!r}"}


def test_there_are_five() -> None:
    """With addresses that stay, and no number of some Grafana's database."""
    assert [path.stem for path in FILES] == NAMES
    assert [f"cio-{name}" for name in NAMES] == [dashboards()[name]["uid"] for name in NAMES]
    assert not any("id" in dashboard for dashboard in dashboards().values())
    assert {42} == {dashboard["schemaVersion"] for dashboard in dashboards().values()}


@pytest.mark.parametrize("name", NAMES)
def test_grafana_knows_every_key(name: str) -> None:
    """Read and written by Grafana's own models, nothing of it is lost."""
    register_default_plugins()
    tree = dashboards()[name]
    known = json.loads(json.dumps(Dashboard.from_json(dict(tree)), cls=JSONEncoder))

    assert unknown(tree, known) == OF_PROMETHEUS


@pytest.mark.parametrize("name", NAMES)
def test_panels_lie_beside_each_other(name: str) -> None:
    """On Grafana's grid of 24 columns, without overlaps, in rows that ask a question or count the stages."""
    cells: Counter[tuple[int, int]] = Counter()
    for panel in dashboards()[name]["panels"]:
        grid = panel["gridPos"]
        assert 0 <= grid["x"] < grid["x"] + grid["w"] <= 24
        cells.update((grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"]))
    rows = [panel["title"] for panel in dashboards()[name]["panels"] if panel["type"] == "row"]
    ids = [panel["id"] for panel in dashboards()[name]["panels"]]

    assert {1} == set(cells.values())
    assert all("?" in row for row in rows)
    assert sorted(set(ids)) == ids


@pytest.mark.parametrize("name", NAMES)
def test_a_panel_can_be_read_by_itself(name: str) -> None:
    """It has a title of its own, a description, a unit, thresholds, and asks the chosen data source."""
    found = panels(dashboards()[name])
    units_used = {panel["fieldConfig"]["defaults"]["unit"] for panel in found}
    sources = {str(each["datasource"]["uid"]) for panel in found for each in (panel, *panel["targets"])}

    assert [title for title, count in Counter(panel["title"] for panel in found).items() if count > 1] == []
    assert [panel["title"] for panel in found if len(panel["description"]) < 10] == []
    assert units_used - UNITS == set()
    assert {"${datasource}"} == sources
    assert [panel["title"] for panel in found if not panel["fieldConfig"]["defaults"]["thresholds"]["steps"]] == []


def test_panels_ask_for_what_there_is() -> None:
    """Metrics that are declared or recorded, labels that they have, and names for the series that tell them apart."""
    series, faults = all_series(), {}
    for question in questions():
        reading, labels = read(question.expression, series)
        shown = set(re.findall(r"{{(\w+)}}", question.legend))
        faults[question.where] = [*reading.faults, *sorted(shown - labels)]

    assert len(faults) > 80
    assert {where: each for where, each in faults.items() if each} == {}


def test_prometheus_understands_every_question(tmp_path: Path) -> None:
    """By its own parser: as a rule each of them passes promtool."""
    expressions = sorted({in_prometheus(question.expression) for question in questions()})
    rules = [{"record": f"question:{number}", "expr": each} for number, each in enumerate(expressions)]
    file = tmp_path / "questions.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "questions", "rules": rules}]}))
    done = subprocess.run([promtool(), "check", "rules", file], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(expressions)} rules found" in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_is_used_and_every_used_one_is_there(name: str) -> None:
    """None is chosen for nothing, none is asked for in vain; what they list exists."""
    dashboard = dashboards()[name]
    made = {each["name"]: each for each in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]+)\b", json.dumps(dashboard["panels"])))
    listed = [each["query"]["query"] for each in made.values() if each["type"] == "query"]
    asked = [re.fullmatch(r"label_values\((.+), (\w+)\)", query) for query in listed]

    assert set(made) == used
    assert all(match and match[2] in read(match[1], all_series())[1] for match in asked)


def test_every_question_is_about_the_chosen_namespaces() -> None:
    """One Prometheus may have several environments, of which each is looked at by itself."""
    asked = re.compile(r"\b(?:cio[_:][\w:]+|up|ALERTS)(?![\w:])(?!{[^}]*namespace=~\"\$namespace\")")

    assert [] == [question.where for question in questions() if asked.search(question.expression)]


def links(dashboard: Tree) -> list[str]:
    """Where its panels lead."""
    return [link["url"] for panel in panels(dashboard) for link in panel.get("links", [])]


def test_panels_lead_to_the_runbook() -> None:
    """Every alert but the watchdog, which shows nothing, is linked from some panel that shows what it is about."""
    urls = {alert["annotations"]["runbook_url"] for alert in alerts().values()}
    linked = {url for dashboard in dashboards().values() for url in links(dashboard)}

    assert {url for url in urls - linked if not url.endswith("#ciowatchdog")} == set()
    assert linked - urls == set()


def test_what_is_provided_is_there() -> None:
    """The provider names the folder of the dashboards as it is mounted; the data source is the one chosen at first."""
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/customerio-streams.yaml").read_text())["providers"]
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["global"]["scrape_interval"]
    chosen = {str(each["templating"]["list"][0]["current"]["value"]) for each in dashboards().values()}

    assert (GRAFANA / Path(provider["options"]["path"]).name).is_dir()
    assert {source["uid"]} == chosen
    assert scrape == source["jsonData"]["timeInterval"]
