import pytest
import yaml

from streams.settings import Settings
from tests.deploy.kubernetes_objects import OVERLAYS, SECRETS, container, of_kind, pods, variables, volume
from tests.deploy.kubernetes_schemas import EXAMPLE

KAFKAS = {"kafka-sasl-username", "kafka-sasl-password", "kafka-ssl-ca-location"}
NEEDED = {
    "worker": KAFKAS | {"customerio-site-id", "customerio-track-api-key", "customerio-app-api-key"},
    "webhooks": KAFKAS | {"customerio-webhook-signing-key"},
    "warehouse": KAFKAS,
    "dlq-watch": KAFKAS,
    "topics-create": KAFKAS,
}

each_pod = pytest.mark.parametrize(("overlay", "name"), [(o, n) for o in OVERLAYS for n in NEEDED])


@each_pod
def test_a_process_reads_its_secrets_from_files_that_are_named_as_their_settings(overlay: str, name: str) -> None:
    """Each variable that names a file names one that is mounted, and nothing else is mounted."""
    pod = pods(overlay)[name]
    told = {variable: value for variable, value in variables(overlay, pod).items() if value.startswith(SECRETS)}
    named = {variable: _file_name(variable) for variable in told}
    items = volume(pod, "secrets")["secret"]["items"]

    assert {variable: f"{SECRETS}/{file}" for variable, file in named.items()} == told
    assert NEEDED[name] == set(named.values()) == {item["path"] for item in items} == {item["key"] for item in items}


@each_pod
def test_a_changed_secret_reaches_a_running_process(overlay: str, name: str) -> None:
    """The folder is mounted as a whole: Kubernetes never changes what was mounted by subPath."""
    pod = pods(overlay)[name]
    [mount] = [each for each in container(pod)["volumeMounts"] if each["name"] == "secrets"]

    assert {"name": "secrets", "mountPath": SECRETS, "readOnly": True} == mount


@each_pod
def test_secrets_are_read_by_our_user_alone(overlay: str, name: str) -> None:
    """The files belong to the pod's group, and nobody may change them."""
    secret = volume(pods(overlay)[name], "secrets")["secret"]

    assert secret["defaultMode"] == 0o440
    assert "optional" not in secret


@each_pod
def test_no_secret_is_in_the_environment(overlay: str, name: str) -> None:
    """It would show in `kubectl describe`, in crash dumps, and to every child."""
    secret = {setting for setting, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}

    assert len(secret) >= 6
    assert not {setting.upper() for setting in secret} & set(variables(overlay, pods(overlay)[name]))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_example_lists_what_is_read_from_the_secret(overlay: str) -> None:
    """By the processes and by the autoscaler: nothing is missing there, nothing too much."""
    example = yaml.safe_load(EXAMPLE.read_text())
    secrets = [volume(pod, "secrets")["secret"] for pod in pods(overlay).values()]
    references = [
        each for found in of_kind(overlay, "TriggerAuthentication") for each in found["spec"]["secretTargetRef"]
    ]
    read = {item["key"] for secret in secrets for item in secret["items"]} | {each["key"] for each in references}

    assert set(example["stringData"]) == read
    assert {example["metadata"]["name"]} == {
        *(secret["secretName"] for secret in secrets),
        *(each["name"] for each in references),
    }


def _file_name(variable: str) -> str:
    return variable.removesuffix("_FILE").lower().replace("_", "-")
