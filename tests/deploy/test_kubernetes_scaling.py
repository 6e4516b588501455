import ast
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.app import DeliveryApp
from streams.kafka import topic_plan
from streams.metrics import declared
from tests.deploy.kubernetes_objects import OVERLAYS, Object, named_settings, one, shared_settings

TOPICS = {
    "changes": topic_plan.USER_CHANGES,
    "events": topic_plan.DOMAIN_EVENTS,
    "sends": topic_plan.TRANSACTIONAL_MESSAGES,
    "replays": topic_plan.REPLAY,
}
SASL = {"PLAIN": "plaintext", "SCRAM-SHA-256": "scram_sha256", "SCRAM-SHA-512": "scram_sha512"}
KAFKA_FIELDS = {
    *("bootstrapServers", "consumerGroup", "topic", "lagThreshold", "activationLagThreshold", "offsetResetPolicy"),
    *("allowIdleConsumers", "excludePersistentLag", "scaleToZeroOnInvalidOffset", "limitToPartitionsWithLag"),
    *("ensureEvenDistributionOfPartitions", "partitionLimitation", "version", "sasl", "tls", "unsafeSsl"),
}
"""What KEDA's Kafka trigger reads, 2.17 to 2.20: its schema takes anything here, and passes over what is misspelt."""

PROMETHEUS_FIELDS = {"serverAddress", "query", "threshold", "activationThreshold", "ignoreNullValues", "timeout"}
TOLERANCE = 0.1
LAG_MAX = 10**9

each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)
lags = st.fixed_dictionaries(dict.fromkeys(TOPICS, st.integers(min_value=0, max_value=LAG_MAX)))


@each_overlay
def test_lag_is_read_of_the_topics_and_the_group_that_workers_have(overlay: str) -> None:
    """With the environment's prefix; the group is what a worker of this environment joins."""
    settings = named_settings(overlay)
    group = DeliveryApp(settings).conf.id
    triggers = _triggers(overlay)
    read = {name: triggers[name]["metadata"] for name in TOPICS}

    assert {name: settings.topic(topic) for name, topic in TOPICS.items()} == {
        name: each["topic"] for name, each in read.items()
    }
    assert {group} == {each["consumerGroup"] for each in read.values()}
    assert {settings.bootstrap} == {each["bootstrapServers"] for each in read.values()}
    assert {"earliest"} == {each["offsetResetPolicy"] for each in read.values()}


@each_overlay
def test_the_autoscaler_reaches_kafka_as_workers_do(overlay: str) -> None:
    """With the same account and authority, from the same Secret."""
    settings = shared_settings(overlay)
    authentication = one(overlay, "TriggerAuthentication", "kafka")["spec"]["secretTargetRef"]

    assert {each["parameter"]: each["key"] for each in authentication} == {
        "username": "kafka-sasl-username",
        "password": "kafka-sasl-password",
        "ca": "kafka-ssl-ca-location",
    }
    for name in TOPICS:
        trigger = _triggers(overlay)[name]
        assert trigger["authenticationRef"] == {"name": "kafka"}
        assert SASL[settings["KAFKA_SASL_MECHANISM"]] == trigger["metadata"]["sasl"]
        assert trigger["metadata"]["tls"] == ("enable" if settings["KAFKA_SECURITY_PROTOCOL"].endswith("SSL") else "")


@each_overlay
def test_every_field_of_a_trigger_is_one_that_keda_reads(overlay: str) -> None:
    """Its schema takes any text here."""
    triggers = _triggers(overlay)

    assert {*TOPICS, "ceiling"} == set(triggers)
    assert ["kafka"] * 4 + ["prometheus"] == [each["type"] for each in triggers.values()]
    assert all(set(triggers[name]["metadata"]) <= KAFKA_FIELDS for name in TOPICS)
    assert set(triggers["ceiling"]["metadata"]) <= PROMETHEUS_FIELDS


@each_overlay
def test_one_partition_is_one_workers_work(overlay: str) -> None:
    """However far it is behind; a topic that nobody reads is nobody's work. Idle consumers are not allowed."""
    for name in TOPICS:
        found = _triggers(overlay)[name]["metadata"]
        assert ("true", "true") == (found["limitToPartitionsWithLag"], found["scaleToZeroOnInvalidOffset"])
        assert "allowIdleConsumers" not in found


@each_overlay
def test_the_ceiling_is_what_this_environments_workers_say(overlay: str) -> None:
    """The least that any of them says; without an answer it is a fault and not 0."""
    found = _triggers(overlay)["ceiling"]["metadata"]
    namespace = one(overlay, "Deployment", "worker")["metadata"]["namespace"]
    metric = declared.USEFUL_REPLICAS.name

    assert found["query"] == f'min({metric}{{job="cio-worker", namespace="{namespace}"}})'
    assert found["ignoreNullValues"] == "false"


@each_overlay
def test_the_composed_metric_is_the_number_of_workers_wanted(overlay: str) -> None:
    """By the same threshold that bounds each topic's lag; a target of 1 leaves the number as it is."""
    modifiers = _spec(overlay)["advanced"]["scalingModifiers"]
    thresholds = {int(_triggers(overlay)[name]["metadata"]["lagThreshold"]) for name in TOPICS}

    assert ("1", "AverageValue") == (modifiers["target"], modifiers["metricType"])
    assert thresholds == {int(number) for number in _numbers(modifiers["formula"])}


@given(lag=lags, ceiling=st.integers(min_value=1, max_value=100), current=st.integers(min_value=1, max_value=100))
def test_lag_never_scales_beyond_the_ceiling(lag: Mapping[str, int], ceiling: int, current: int) -> None:
    """Whatever the lag of whichever topic, and however many work: none is added that would only share the rate."""
    wanted = _wanted("prod", lag, ceiling, current)

    assert wanted <= max(ceiling, current, _spec("prod")["minReplicaCount"])


@given(lag=lags, ceiling=st.integers(min_value=1, max_value=100))
def test_below_the_ceiling_lag_decides(lag: Mapping[str, int], ceiling: int) -> None:
    """A worker for each 100000 records, from the least to the most that the environment has."""
    spec = _spec("prod")
    by_lag = min(math.ceil(sum(lag.values()) / 100_000), ceiling)
    expected = min(max(by_lag, spec["minReplicaCount"]), spec["maxReplicaCount"])

    assert expected == _wanted("prod", lag, ceiling, current=0)


@given(ceiling=st.integers(min_value=1, max_value=100), current=st.integers(min_value=1, max_value=12))
def test_without_lag_the_least_number_works(ceiling: int, current: int) -> None:
    """The ceiling is none of the wishes: alone among the metrics it would be a floor."""
    wanted = _wanted("staging", dict.fromkeys(TOPICS, 0), ceiling, current)

    assert _spec("staging")["minReplicaCount"] == wanted


@each_overlay
def test_there_are_never_more_workers_than_partitions(overlay: str) -> None:
    """And always one; a fallback is within what else is allowed, adds nothing to a working fleet, and takes nothing."""
    spec = _spec(overlay)
    fallback = spec["fallback"]
    bounds = [1, spec["minReplicaCount"], fallback["replicas"], spec["maxReplicaCount"]]

    assert sorted(bounds) == bounds
    assert spec["maxReplicaCount"] <= named_settings(overlay).topic_partitions
    assert fallback["behavior"] == "currentReplicasIfHigher"
    assert fallback["failureThreshold"] > 1


@each_overlay
def test_what_holds_whatever_the_formula_says_is_of_use(overlay: str) -> None:
    """The least number and the fallback's do not go through the ceiling, so they are held against it here."""
    settings = named_settings(overlay)
    budgets = DeliveryApp(settings).delivery.budgets
    budgets.partitions = {settings.topic(topic): settings.topic_partitions for topic in TOPICS.values()}
    spec = _spec(overlay)

    assert max(spec["minReplicaCount"], spec["fallback"]["replicas"]) <= budgets.useful_replicas
    assert budgets.useful_replicas > 1


@each_overlay
def test_rebalances_are_few(overlay: str) -> None:
    """Up after a minute and in one step, down after ten and by half, so that a burst is not a dozen rebalances."""
    behavior = _spec(overlay)["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    [up] = behavior["scaleUp"]["policies"]
    [down] = behavior["scaleDown"]["policies"]

    assert (60, 600) == tuple(behavior[way]["stabilizationWindowSeconds"] for way in ("scaleUp", "scaleDown"))
    assert up["type"] == "Pods"
    assert up["value"] >= _spec(overlay)["maxReplicaCount"]
    assert {"type": "Percent", "value": 50, "periodSeconds": 300} == down


def _spec(overlay: str) -> Object:
    spec = one(overlay, "ScaledObject", "worker")["spec"]
    assert isinstance(spec, Mapping)
    return spec


def _triggers(overlay: str) -> dict[str, Object]:
    return {each["name"]: each for each in _spec(overlay)["triggers"]}


def _wanted(overlay: str, lag: Mapping[str, int], ceiling: int, current: int) -> int:
    """How many workers the autoscaler makes of it, as its documentation has it: near enough is left alone."""
    spec = _spec(overlay)
    modifiers = spec["advanced"]["scalingModifiers"]
    tree = ast.parse(modifiers["formula"], mode="eval")
    metric = _value(tree.body, {**lag, "ceiling": ceiling})
    target = float(modifiers["target"])
    is_near = bool(current) and abs(metric / (target * current) - 1) <= TOLERANCE
    wanted = current if is_near else math.ceil(metric / target)
    return int(min(max(wanted, spec["minReplicaCount"]), spec["maxReplicaCount"]))


def _value(node: ast.expr, known: Mapping[str, float]) -> float:
    """Evaluate what a formula of ours may consist of; KEDA's language (expr) reads each of these as Python does."""
    match node:
        case ast.Name(id=name):
            return known[name]
        case ast.Constant(value=int(number)):
            return number
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left, known) + _value(right, known)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _value(left, known) / _value(right, known)
        case ast.Call(func=ast.Name(id="min"), args=parts):
            return min(_value(part, known) for part in parts)
        case _:
            raise AssertionError(f"not of our formulas' language: {ast.dump(node)}")


def _numbers(formula: str) -> list[Any]:
    return [node.value for node in ast.walk(ast.parse(formula, mode="eval")) if isinstance(node, ast.Constant)]
