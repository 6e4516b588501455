"""The alert rules: names, annotations, metrics, labels; promtool and a real Prometheus test what they do."""

import re

import pytest
import yaml

from tests.deploy.alert_rules import PROMETHEUS, RULES, WATCHDOG, alerts, all_series, rules
from tests.deploy.dashboards import questions
from tests.deploy.promql_labels import read
from tests.deploy.running_prometheus import hurried

NAMES = {
    *("CioLagHigh", "CioNothingDelivered", "CioBreakerOpen", "CioCredentialsRefused", "CioLaneStuck"),
    *("CioDeadLetterShare", "CioNewDeadLetterReason", "CioDeadLetterAge", "CioFloodHeld", "CioCommitAborts"),
    *("CioWebhookSignatureFailures", "CioWarehouseBehind", "CioSecretOld", "CioTargetDown", WATCHDOG),
}
RUNBOOK = "https://github.com/customerio-streams/customerio-streams/blob/main/deploy/RUNBOOK.md"


def test_there_is_an_alert_for_everything_that_needs_a_person() -> None:
    """By these names, each once, in the page that tells what to do."""
    assert NAMES == set(alerts())
    assert len(NAMES) == sum("alert" in rule for rule in rules())


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(name: str) -> None:
    """Severity, summary, description, and its own section of the runbook."""
    alert = alerts()[name]

    assert alert["labels"]["severity"] in {"critical", "warning"} if name != WATCHDOG else {"none"}
    assert {"summary", "description", "runbook_url"} == set(alert["annotations"])
    assert f"{RUNBOOK}#{name.lower()}" == alert["annotations"]["runbook_url"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule.get("alert") or rule.get("record")))
def test_a_rule_asks_for_what_there_is(rule: dict[str, object]) -> None:
    """Metrics that are declared, labels that they have, also in the words of the alert."""
    reading, labels = read(str(rule["expr"]), all_series())
    texts = str(rule.get("annotations", ""))

    assert reading.faults == []
    assert set(re.findall(r"\$labels\.(\w+)", texts)) <= labels


def test_what_is_recorded_is_used() -> None:
    """By an alert, or by a panel."""
    recorded = {str(rule["record"]) for rule in rules() if "record" in rule}
    asked = [str(alert["expr"]) for alert in alerts().values()] + [each.expression for each in questions()]
    used = set().union(*(read(expression, all_series())[0].names for expression in asked))

    assert recorded - used == set()


def test_every_alert_is_tested_by_promtool() -> None:
    """Where it must fire, in one of the files that `make check` hands to it."""
    tested = "\n".join(path.read_text() for path in PROMETHEUS.glob("*.test.yml"))

    assert [name for name in NAMES if f'alertname="{name}", alertstate="firing"' not in tested] == []


def test_promtool_makes_the_sums_before_it_asks_for_them() -> None:
    """It takes groups that are not told in any order, so that a test would fail now and then."""
    groups = [group["name"] for group in yaml.safe_load(RULES.read_text())["groups"]]
    orders = [yaml.safe_load(path.read_text()).get("group_eval_order") for path in PROMETHEUS.glob("*.test.yml")]

    assert [groups] * len(orders) == orders
    assert orders != []


def test_hurried_rules_are_the_same_rules() -> None:
    """What the real Prometheus is given in tests differs in durations and in nothing else."""
    ours, hurried_ones = RULES.read_text(), hurried(RULES.read_text())
    plain = [yaml.safe_dump(yaml.safe_load(re.sub(r"\b\d+[smhd]\b", "", each))) for each in (ours, hurried_ones)]

    assert plain[0] == plain[1]
    assert ours != hurried_ones


def test_what_does_not_exist_is_found() -> None:
    """Names, labels, and sides of an operation that never meet."""
    wrong = {
        "cio_lag_record > 0": ["nothing is called 'cio_lag_record'"],
        'cio_lag_records{topics="a"}': ["cio_lag_records: no label topics"],
        "sum by (reason) (cio_lag_records)": ["sum over: no label reason"],
        "sum by (api) (cio_requests_total) / sum by (topic) (cio_lag_records)": [
            "/ matches nothing: ['api'] and ['topic']",
        ],
        "histogram_quantile(0.5, rate(cio_request_seconds_sum[5m]))": ["histogram_quantile: no label le"],
    }

    assert wrong == {expression: read(expression, all_series())[0].faults for expression in wrong}
