"""Every alert on a real Prometheus that scrapes real processes: silent in health, firing when its fault is there."""

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import making_settings
from tests.deploy.alert_rules import WATCHDOG, alerts
from tests.deploy.alert_stage import alert_stage, break_it, let_it_work, refuse_results
from tests.deploy.dashboards import questions
from tests.deploy.promql_labels import in_prometheus
from tests.deploy.running_prometheus import RunningPrometheus, running_prometheus

FIRES_S = 60.0
CALM_S = 15.0
WITHOUT_NUMBERS = {"customerio: Webhooks refused or odd: D"}
"""What only a Kafka that is away could fill: webhooks answered 503."""

BEFORE_RESULTS_ARE_REFUSED = {"CioDeadLetterShare", "CioNewDeadLetterReason", "CioFloodHeld"}


@dataclass(slots=True)
class Seen:
    """What fired in health, what has fired since, and how many numbers each panel got."""

    healthy: set[str] = field(default_factory=set)
    fired: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def seen(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Run it all once."""
    folder, found = tmp_path_factory.mktemp("alerts"), Seen()
    prefix = f"alerts{time.time_ns()}."
    with (
        making_settings(kafka, prefix) as make,
        running_prometheus(folder) as prometheus,
        alert_stage(make, prometheus, folder) as stage,
    ):
        let_it_work(stage)
        found.healthy = calm_down(prometheus)
        break_it(stage)
        wait_for(BEFORE_RESULTS_ARE_REFUSED, prometheus, found)
        refuse_results(stage)
        wait_for(set(alerts()), prometheus, found)
        for question in questions():
            expression = in_prometheus(question.expression).replace("[1m]", "[10s]")
            found.numbers[question.where] = len(prometheus.ever(expression))
    return found


def calm_down(prometheus: RunningPrometheus) -> set[str]:
    """What fires and stays: on a machine that is busy a scrape may fail once, and that is over soon."""
    deadline = time.monotonic() + CALM_S
    while (firing := set(prometheus.firing())) != {WATCHDOG} and time.monotonic() < deadline:
        time.sleep(0.3)
    return firing


def wait_for(names: set[str], prometheus: RunningPrometheus, found: Seen) -> None:
    """Look until these have fired, or it takes too long."""
    deadline = time.monotonic() + FIRES_S
    while not names <= found.fired.keys() and time.monotonic() < deadline:
        found.fired |= prometheus.firing()
        time.sleep(0.3)


def test_in_health_only_the_watchdog_fires(seen: Seen) -> None:
    """While records, messages and webhooks come in, and nothing is wrong."""
    assert {WATCHDOG} == seen.healthy


@pytest.mark.parametrize("name", sorted(alerts()))
def test_an_alert_fires_when_its_fault_is_there(seen: Seen, name: str) -> None:
    """And says what is wrong in words, without a hole in them."""
    assert name in seen.fired
    words = " ".join(seen.fired[name]["annotations"].values())
    assert "<no value>" not in words
    assert "{{" not in words


def test_every_panel_shows_something(seen: Seen) -> None:
    """Each question of each dashboard has got a number from the real processes."""
    assert {where for where, count in seen.numbers.items() if not count} <= WITHOUT_NUMBERS
