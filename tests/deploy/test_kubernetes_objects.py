import copy
from typing import Any

import pytest
import yaml

from tests.deploy.kubernetes_objects import OVERLAYS, of_kind, one, rendered, shared_settings
from tests.deploy.kubernetes_schemas import EXAMPLE, check, main


def test_every_object_of_every_environment_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    """By the schemas of Kubernetes and of KEDA, unknown fields refused: the very check that `make check` runs."""
    code = main()

    assert (0, "") == (code, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Deployment", "worker", ("spec", "template", "spec", "terminationGraceSeconds"), 30),
        ("Deployment", "worker", ("spec", "replicas"), "two"),
        ("NetworkPolicy", "deny-all", ("spec", "policyType"), ["Ingress"]),
        ("ScaledObject", "worker", ("spec", "maxReplicas"), 3),
        ("ScaledObject", "worker", ("spec", "advanced", "scalingModifiers", "formulas"), "1"),
        ("ScaledObject", "worker", ("spec", "fallback", "behavior"), "hope"),
        ("ScaledObject", "worker", ("spec", "minReplicaCount"), "1"),
        ("TriggerAuthentication", "kafka", ("spec", "secretRef"), []),
        ("ScaledObject", "worker", ("kind",), "ScaleObject"),
        ("Deployment", "worker", ("kind",), "Deploymint"),
    ],
)
def test_what_the_cluster_does_not_know_is_refused(kind: str, name: str, path: tuple[str, ...], value: Any) -> None:  # noqa: ANN401 - any YAML
    """A misspelt field, kind or value would be dropped in silence, or refused in the middle of an apply."""
    spoilt: Any = copy.deepcopy(one("prod", kind, name))
    place = spoilt
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    assert check(spoilt)


def test_the_example_of_the_secret_is_valid_and_empty() -> None:
    """It says what must be there, and holds none of it."""
    example = yaml.safe_load(EXAMPLE.read_text())

    assert check(example) == []
    assert set(example["stringData"].values()) == {""}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_environment_holds_a_secret(overlay: str) -> None:
    """Secrets come from elsewhere, so that no apply overwrites them and no repository knows them."""
    assert of_kind(overlay, "Secret") == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_environment_has_a_namespace_topics_and_a_group_of_its_own(overlay: str) -> None:
    """All are named after it, so two environments may share a cluster and a Kafka."""
    [namespace] = of_kind(overlay, "Namespace")
    settings = shared_settings(overlay)
    inside = {each["metadata"]["namespace"] for each in rendered(overlay) if each is not namespace}

    assert f"customerio-streams-{overlay}" == settings["APP_ID"] == namespace["metadata"]["name"]
    assert {settings["APP_ID"]} == inside
    assert f"{overlay}." == settings["TOPIC_PREFIX"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_cluster_refuses_pods_that_are_less_confined_than_ours(overlay: str) -> None:
    """The namespace is held to the strictest of Kubernetes' pod security standards."""
    [namespace] = of_kind(overlay, "Namespace")

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_changed_setting_rolls_the_pods() -> None:
    """The name of the ConfigMap is made from its content, and the pods name it."""
    names = {overlay: of_kind(overlay, "ConfigMap")[0]["metadata"]["name"] for overlay in OVERLAYS}

    assert len(OVERLAYS) == len(set(names.values()))
    assert all(name.startswith("settings-") for name in names.values())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_selected_is_there(overlay: str) -> None:
    """Each selector of a Deployment, Service or disruption budget fits the pods of its own name, and no others."""
    deployments = of_kind(overlay, "Deployment")
    pods = {each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"] for each in deployments}
    selectors = [
        *((each["metadata"]["name"], each["spec"]["selector"]["matchLabels"]) for each in deployments),
        *(
            (each["metadata"]["name"], each["spec"]["selector"]["matchLabels"])
            for each in of_kind(overlay, "PodDisruptionBudget")
        ),
        *((each["metadata"]["name"], each["spec"]["selector"]) for each in of_kind(overlay, "Service")),
    ]
    selected = {
        (name, pod)
        for name, selector in selectors
        for pod, labels in pods.items()
        if selector.items() <= labels.items()
    }

    assert {(name, name) for name in pods} == selected


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_whatever_there_may_be_several_of_has_a_disruption_budget_and_an_autoscaler(overlay: str) -> None:
    """Workers and receivers; of the others there is one, started anew only when the old one is gone."""
    scaled = {
        each["spec"]["scaleTargetRef"]["name"]
        for each in (*of_kind(overlay, "HorizontalPodAutoscaler"), *of_kind(overlay, "ScaledObject"))
    }
    budgets = {each["metadata"]["name"]: each["spec"] for each in of_kind(overlay, "PodDisruptionBudget")}
    singles = {
        each["metadata"]["name"]
        for each in of_kind(overlay, "Deployment")
        if (each["spec"].get("replicas"), each["spec"]["strategy"]["type"]) == (1, "Recreate")
    }
    unset = {each["metadata"]["name"] for each in of_kind(overlay, "Deployment") if "replicas" not in each["spec"]}

    assert {"worker", "webhooks"} == scaled == set(budgets) == unset
    assert {"warehouse", "dlq-watch"} == singles
    assert {1} == {budget["maxUnavailable"] for budget in budgets.values()}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_there_are_two_receivers_at_least(overlay: str) -> None:
    """While one is started anew, the other takes webhooks; ten are more than Customer.io sends."""
    [autoscaler] = of_kind(overlay, "HorizontalPodAutoscaler")

    assert (2, 10) == (autoscaler["spec"]["minReplicas"], autoscaler["spec"]["maxReplicas"])
