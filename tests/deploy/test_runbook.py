"""The runbook: a section for each alert, commands that exist, metrics and panels that are there."""

import re
import shlex

import pytest

from tests.deploy.alert_rules import ROOT, alerts, all_series
from tests.deploy.compose import parse
from tests.deploy.dashboards import dashboards, panels

PAGE = (ROOT / "deploy" / "RUNBOOK.md").read_text()
SECTIONS = {part.split("\n", 1)[0]: part for part in PAGE.split("\n## ")[1:]}
CODE = re.compile(r"```sh\n(.*?)```|`([^`\n]+)`", re.DOTALL)

OF_PROMETHEUS = {"Targets"}


def commands() -> list[str]:
    """Every one of ours, whoever runs it."""
    lines = [line for block, span in CODE.findall(PAGE) for line in (block or span).splitlines()]
    return sorted({line[line.index("cio-streams ") :] for line in lines if "cio-streams " in line})


def test_every_alert_has_a_section_and_no_section_is_left_over() -> None:
    """Whose heading is its name, which the links of the alerts rest on."""
    assert set(alerts()) == {name for name in SECTIONS if name.startswith("Cio")}


@pytest.mark.parametrize("name", sorted(alerts()))
def test_a_section_says_what_it_means_what_to_do_and_when_it_is_over(name: str) -> None:
    """In this order."""
    said = re.findall(r"\*\*(Means|Do|Over when):\*\*", SECTIONS[name])

    assert ["Means", "Do", "Over when"] == said


@pytest.mark.parametrize("line", commands())
def test_a_command_exists_as_it_is_written(line: str) -> None:
    """The real command line takes it, options and arguments and all."""
    assert parse(shlex.split(line, comments=True)[1:])


@pytest.mark.parametrize("line", ["mend", "dlq mend 3/17", "dlq replay --faster", "dlq show", "audit --since"])
def test_a_wrong_command_is_found(line: str) -> None:
    """Neither a name nor an option may be made up, nor an argument be left out."""
    assert not parse(line.split())


def test_a_metric_or_panel_that_is_named_is_there() -> None:
    """Metrics in code as scraped, panels and dashboards in quotes."""
    metrics = {name for _, span in CODE.findall(PAGE) for name in re.findall(r"\bcio_\w+", span)}
    quoted = set(re.findall(r'"([^"\n]+)"', CODE.sub("", PAGE)))
    titles = {panel["title"] for dashboard in dashboards().values() for panel in panels(dashboard)}
    names = {dashboard["title"].removeprefix("customerio-streams: ") for dashboard in dashboards().values()}

    assert metrics - set(all_series()) == set()
    assert len(metrics) > 10
    assert quoted - titles - names == OF_PROMETHEUS


def test_links_lead_somewhere() -> None:
    """To sections of the page itself, and to pages beside it."""
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    anchors = {f"#{name.lower().replace(' ', '-')}" for name in SECTIONS}
    files = {link.split("#")[0] for link in links if link.startswith("../")}

    assert {link for link in links if link.startswith("#")} <= anchors
    assert [file for file in files if not (ROOT / "deploy" / file).is_file()] == []
