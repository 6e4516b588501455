"""The Kubernetes objects of each environment, as `kubectl kustomize` renders them, and ways to find one among them."""

import functools
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from streams.settings import Settings

Object = Mapping[str, Any]

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "k8s"
OVERLAYS: Final = ("dev", "staging", "prod")
COMPONENT: Final = "app.kubernetes.io/component"
SECRETS: Final = "/run/secrets/customerio"


class MissingToolError(Exception):
    """What renders the objects is not on this machine, and how to get it."""


@functools.cache
def rendered(overlay: str) -> tuple[Object, ...]:
    """Give every object of an environment.

    Raises:
        MissingToolError: there is no kubectl.
    """
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise MissingToolError(
            "kubectl is missing: install version 1.32 or newer, https://kubernetes.io/docs/tasks/tools"
        )
    command = [kubectl, "kustomize", str(FOLDER / "overlays" / overlay)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return tuple(yaml.safe_load_all(text))


def of_kind(overlay: str, kind: str) -> list[Object]:
    """Give all objects of one kind."""
    return [each for each in rendered(overlay) if each["kind"] == kind]


def one(overlay: str, kind: str, name: str) -> Object:
    """Give the one object with this name."""
    [found] = [each for each in of_kind(overlay, kind) if each["metadata"]["name"] == name]
    return found


def pods(overlay: str) -> dict[str, Object]:
    """Give the template of every pod, by its component."""
    long_lived = [each["spec"]["template"] for each in of_kind(overlay, "Deployment")]
    on_request = [each["spec"]["jobTemplate"]["spec"]["template"] for each in of_kind(overlay, "CronJob")]
    return {each["metadata"]["labels"][COMPONENT]: each for each in (*long_lived, *on_request)}


def servers(overlay: str) -> dict[str, Object]:
    """Give the templates of the pods that listen: all but what runs on request."""
    return {name: pod for name, pod in pods(overlay).items() if container(pod).get("ports")}


def container(pod: Object) -> Object:
    """Give a pod's only container."""
    [found] = pod["spec"]["containers"]
    assert isinstance(found, Mapping)
    return found


def shared_settings(overlay: str) -> dict[str, str]:
    """Give what the ConfigMap says to every process of an environment."""
    [config] = of_kind(overlay, "ConfigMap")
    return dict(config["data"])


def variables(overlay: str, pod: Object) -> dict[str, str]:
    """Give the whole environment of a pod's process, as the cluster makes it."""
    [config] = of_kind(overlay, "ConfigMap")
    [source] = container(pod)["envFrom"]
    assert source == {"configMapRef": {"name": config["metadata"]["name"]}}
    return shared_settings(overlay) | {each["name"]: each["value"] for each in container(pod).get("env", [])}


def named_settings(overlay: str) -> Settings:
    """Give an environment's settings as far as they name things: topics, group, partitions; secrets are left out."""
    plain = {name: value for name, value in shared_settings(overlay).items() if SECRETS not in value}
    free = plain | {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}
    return Settings.model_validate({name.lower(): value for name, value in free.items()})


def volume(pod: Object, name: str) -> Object:
    """Give one volume of a pod."""
    [found] = [each for each in pod["spec"]["volumes"] if each["name"] == name]
    assert isinstance(found, Mapping)
    return found
