import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.deploy.kubernetes_objects import COMPONENT, FOLDER, OVERLAYS, one, servers

JOBS = {"cio-worker", "cio-webhooks", "cio-warehouse", "cio-dlq"}


def test_the_scrape_configuration_of_the_readme_names_jobs_as_alerts_do() -> None:
    """And the namespace, by which the autoscaler asks for its own environment's ceiling."""
    config = _scrape_configuration()
    rules = {rule["target_label"]: rule for rule in config["relabel_configs"] if "target_label" in rule}
    job, namespace = rules["job"], rules["namespace"]

    assert [_label(COMPONENT)] == job["source_labels"]
    assert {_relabelled(job, name) for name in servers("prod")} == JOBS
    assert ["__meta_kubernetes_namespace"] == namespace["source_labels"]
    for pod in servers("prod").values():
        assert all(_keeps(rule, pod["metadata"]) for rule in config["relabel_configs"])


def test_a_pod_that_has_ended_is_no_target() -> None:
    """An evicted one is kept with its address, and would be a worker that is down for ever."""
    rules = [rule for rule in _scrape_configuration()["relabel_configs"] if rule.get("action") == "drop"]

    assert [["__meta_kubernetes_pod_phase"]] == [rule["source_labels"] for rule in rules]
    assert {"Failed", "Succeeded"} == {
        phase
        for phase in ("Pending", "Running", "Succeeded", "Failed", "Unknown")
        if re.fullmatch(rules[0]["regex"], phase)
    }


def test_the_autoscaler_asks_for_a_job_that_is_scraped() -> None:
    """Of the workers."""
    queries = [
        trigger["metadata"]["query"]
        for overlay in OVERLAYS
        for trigger in one(overlay, "ScaledObject", "worker")["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    ]

    assert {"cio-worker"} == {found for query in queries for found in re.findall(r'job="([^"]+)"', query)}


def _scrape_configuration() -> Mapping[str, Any]:
    [block] = re.findall(r"```yaml\n(scrape_configs:.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)
    [config] = yaml.safe_load(block)["scrape_configs"]
    assert isinstance(config, dict)
    return config


def _label(name: str) -> str:
    return "__meta_kubernetes_pod_label_" + re.sub(r"[./-]", "_", name)


def _relabelled(rule: Mapping[str, Any], value: str) -> str:
    found = re.fullmatch(rule["regex"], value)
    assert found is not None
    return re.sub(r"\$(\d)", lambda number: found[int(number[1])] or "", rule["replacement"])


def _keeps(rule: Mapping[str, Any], metadata: dict[str, dict[str, str]]) -> bool:
    if rule.get("action") != "keep":
        return True
    labels = {_label(name): value for name, value in metadata["labels"].items()}
    annotations = {
        _label(name).replace("_label_", "_annotation_"): value for name, value in metadata["annotations"].items()
    }
    [source] = rule["source_labels"]
    return re.fullmatch(rule["regex"], (labels | annotations)[source]) is not None
