"""What Cloud Monitoring is told to watch: metrics that there are, log lines that are written, and pages to read."""

import re
from pathlib import Path
from typing import Final

from streams.delivery.budgets import REQUESTS_PER_WORKER_PER_S
from streams.metrics.declared import OF_PROCESS
from tests.deploy.hcl import MODULE, TERRAFORM, blocks, texts

ALERTS: Final = (MODULE / "alerts.tf").read_text()
SOURCES: Final = Path(__file__).parents[2] / "streams" / "customerio"


def test_an_alert_asks_for_metrics_that_there_are() -> None:
    """By the names that Prometheus has."""
    declared = {metric.scraped for metrics in OF_PROCESS.values() for metric in metrics}
    asked = set(re.findall(r"\bcio_\w+", ALERTS))

    assert asked
    assert set() == asked - declared


def test_the_log_line_that_is_waited_for_is_written() -> None:
    """With this text, by what opens a breaker."""
    policy = next(block for block in blocks(MODULE) if block.labels[1:] == ("credentials_refused",))
    event = next(match[1] for text in texts(policy.body) if (match := re.search(r'jsonPayload\.event="([^"]+)"', text)))

    assert f'"{event}", api=self.api, reason=reason' in (SOURCES / "breaker.py").read_text()


def test_an_alert_leads_to_a_page_that_there_is() -> None:
    """To its heading there, in the runbook or beside the module."""
    pages = set(re.findall(r'page += "([^"]+)"', ALERTS)) | set(re.findall(r"local\.pages}/(\w+\.md#\w+)", ALERTS))
    lost = []
    for page in pages:
        path, _, anchor = page.partition("#")
        headings = re.findall(r"^#+ (.+)$", (TERRAFORM.parent / path).read_text(), flags=re.MULTILINE)
        if anchor not in {heading.lower().replace(" ", "-") for heading in headings}:
            lost.append(page)

    assert len(pages) == 5
    assert [] == lost


def test_the_ceiling_is_that_of_the_metric() -> None:
    """`cio_useful_replicas` reckons with the same requests a second for each worker."""
    local = {name: value for block in blocks(MODULE) if block.kind == "locals" for name, value in block.body.items()}

    assert local["worker_rate_per_s"] == REQUESTS_PER_WORKER_PER_S
