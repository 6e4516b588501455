from importlib import metadata
from pathlib import Path

import pytest
from starlette.routing import Route

from streams.__main__ import run
from streams.dead_letters import watch_process
from streams.health import create_health_app
from streams.settings import load_settings
from streams.warehouse import run as warehouse
from streams.webhooks import serve
from streams.webhooks.receiver import CONFIRM_S
from streams.webhooks.writer import CLOSE_S
from tests.deploy.kubernetes_objects import (
    OVERLAYS,
    SECRETS,
    container,
    named_settings,
    of_kind,
    one,
    pods,
    servers,
    variables,
    volume,
)
from tests.deploy.ports import PORT_SETTINGS

COMMANDS = {
    "worker": ["worker"],
    "webhooks": ["webhooks"],
    "warehouse": ["warehouse"],
    "dlq-watch": ["dlq", "watch"],
    "topics-create": ["topics", "create"],
}
TEMPORARY = "/tmp"  # noqa: S108 - in the pod
WORKER_STOP_S_MAX = 10

each_pod = pytest.mark.parametrize(("overlay", "name"), [(o, n) for o in OVERLAYS for n in COMMANDS])
each_server = pytest.mark.parametrize(("overlay", "name"), [(o, n) for o in OVERLAYS for n in PORT_SETTINGS])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_environment_has_every_process_and_no_other(overlay: str) -> None:
    """Four that stay, one that runs on request; each does what it is called after."""
    assert COMMANDS == {name: container(pod)["args"] for name, pod in pods(overlay).items()}
    assert set(PORT_SETTINGS) == set(servers(overlay))


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=" ".join)
def test_every_command_is_one_of_ours(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The image's entry point is `cio-streams`, and it knows what the pods ask for."""
    assert run([*arguments, "--help"]) == 0
    assert "Usage: cio-streams" in capsys.readouterr().out


@each_pod
def test_a_process_starts_with_the_settings_it_gets(overlay: str, name: str, tmp_path: Path) -> None:
    """With what the ConfigMap, its own variables and the mounted files say, and nothing of it is unknown or wrong."""
    pod = pods(overlay)[name]
    for item in volume(pod, "secrets")["secret"]["items"]:
        (tmp_path / item["path"]).write_text("value")
    environ = {variable: value.replace(SECRETS, str(tmp_path)) for variable, value in variables(overlay, pod).items()}

    settings = load_settings(environ, needs_track=name == "worker")

    assert settings.kafka_security_protocol == "SASL_SSL"
    assert (settings.customerio_app_api_key is not None) == (name == "worker")
    assert (settings.customerio_webhook_signing_key is not None) == (name == "webhooks")


@each_server
def test_a_process_is_asked_where_it_listens(overlay: str, name: str) -> None:
    """On its setting's port, on all addresses of the pod; probes and scrapers ask paths that it has."""
    pod = pods(overlay)[name]
    settings = named_settings(overlay).model_dump()
    [port] = container(pod)["ports"]
    annotations = pod["metadata"]["annotations"]
    probes = [container(pod)[probe]["httpGet"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")]
    app = create_health_app(is_live=lambda: (True, {}), is_ready=lambda: (True, {}), metrics=lambda: b"")
    paths = {route.path for route in app.routes if isinstance(route, Route)}

    assert settings[PORT_SETTINGS[name]] == port["containerPort"] == int(annotations["prometheus.io/port"])
    assert {"0.0.0.0"} == {settings["http_host"], settings["webhook_host"]}
    assert {port["name"]} == {probe["port"] for probe in probes}
    assert ["/livez", "/readyz", "/livez"] == [probe["path"] for probe in probes]
    assert {*(probe["path"] for probe in probes), annotations["prometheus.io/path"]} == paths
    assert annotations["prometheus.io/scrape"] == "true"


@each_server
def test_a_process_that_is_slow_to_be_ready_is_not_killed(overlay: str, name: str) -> None:
    """Only /livez kills, after a minute; /readyz may take what a ledger of a million entries takes, and more."""
    found = container(pods(overlay)[name])
    killing = [found["startupProbe"], found["livenessProbe"]]

    assert {"/livez"} == {probe["httpGet"]["path"] for probe in killing}
    assert all(probe["periodSeconds"] * probe["failureThreshold"] >= 60 for probe in killing)


@each_server
def test_a_process_is_given_the_time_it_needs_to_end(overlay: str, name: str) -> None:
    """The drain, what is bounded after it, and the wait before; a kill comes only when even these bounds fail."""
    pod = pods(overlay)[name]
    ends = {
        "worker": named_settings(overlay).drain_s + WORKER_STOP_S_MAX,
        "webhooks": serve.FINISH_S + CLOSE_S + CONFIRM_S,
        "warehouse": warehouse.STOP_S,
        "dlq-watch": watch_process.STOP_S,
    }
    before = container(pod).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)

    assert pod["spec"]["terminationGracePeriodSeconds"] > before + ends[name] + 2


def test_a_receiver_listens_until_proxies_know_that_it_goes() -> None:
    """A refused connection would make Customer.io hold webhooks back for an hour."""
    hook = container(pods("prod")["webhooks"])["lifecycle"]["preStop"]

    assert hook["sleep"]["seconds"] >= 5


@each_pod
def test_a_pod_is_as_confined_as_can_be(overlay: str, name: str) -> None:
    """No user that exists on the node, nothing to write to but what is mounted, no rights, no token."""
    pod = pods(overlay)[name]
    spec, own = pod["spec"], container(pod)["securityContext"]

    assert (True, 65532, 65532) == (
        spec["securityContext"]["runAsNonRoot"],
        spec["securityContext"]["runAsUser"],
        spec["securityContext"]["fsGroup"],
    )
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (False, False) == (spec["automountServiceAccountToken"], spec["enableServiceLinks"])
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert not [each for each in spec["volumes"] if "hostPath" in each]


@each_pod
def test_a_pod_has_an_account_of_its_own_without_a_token(overlay: str, name: str) -> None:
    """What one of them is allowed elsewhere, no other is."""
    account = one(overlay, "ServiceAccount", pods(overlay)[name]["spec"]["serviceAccountName"])

    assert name == account["metadata"]["name"]
    assert account["automountServiceAccountToken"] is False


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_processes_are_one_image_of_a_named_version(overlay: str) -> None:
    """Which one runs is known: never whatever was the latest."""
    [image] = {container(pod)["image"] for pod in pods(overlay).values()}
    name, _, tag = image.rpartition(":")

    assert metadata.metadata("customerio-streams")["Name"] == name.rpartition("/")[2]
    assert tag[0].isdigit()


@each_server
def test_a_process_has_what_it_needs_and_no_more(overlay: str, name: str) -> None:
    """One processor, 512 MiB, guaranteed; a loader gets twice the memory, half of it for DuckDB."""
    memory = "1Gi" if name == "warehouse" else "512Mi"
    resources = container(pods(overlay)[name])["resources"]

    assert resources == {key: {"cpu": "1", "memory": memory} for key in ("requests", "limits")}


@each_pod
def test_only_what_is_mounted_is_written_to(overlay: str, name: str) -> None:
    """A bounded folder for what is temporary; and for a warehouse in a file, the disk on which it lies."""
    pod = pods(overlay)[name]
    mounts = {each["mountPath"]: each for each in container(pod)["volumeMounts"]}
    kind, _, path = named_settings(overlay).warehouse.partition(":")
    disks = [str(Path(path).parent)] if name == "warehouse" and kind == "duckdb" else []

    assert {TEMPORARY, SECRETS, *disks} == set(mounts)
    assert mounts[SECRETS]["readOnly"] is True
    assert "sizeLimit" in volume(pod, mounts[TEMPORARY]["name"])["emptyDir"]
    assert all("persistentVolumeClaim" in volume(pod, mounts[disk]["name"]) for disk in disks)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_warehouse_in_a_file_is_one_pods_alone(overlay: str) -> None:
    """A disk that one pod at a time may have; none where BigQuery has the rows."""
    claims = [
        (each["metadata"]["name"], each["spec"]["accessModes"]) for each in of_kind(overlay, "PersistentVolumeClaim")
    ]

    assert (claims == []) == named_settings(overlay).warehouse.startswith("bigquery:")
    assert claims in ([], [("warehouse", ["ReadWriteOncePod"])])


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", ["worker", "webhooks"])
def test_pods_of_a_kind_stand_apart(overlay: str, name: str) -> None:
    """Rather on several nodes and zones, but anywhere before nowhere."""
    pod = pods(overlay)[name]
    [spread] = pod["spec"]["topologySpreadConstraints"]
    [apart] = pod["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    labels = pod["metadata"]["labels"].items()

    assert ("topology.kubernetes.io/zone", "ScheduleAnyway") == (spread["topologyKey"], spread["whenUnsatisfiable"])
    assert apart["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    assert spread["labelSelector"]["matchLabels"].items() <= labels
    assert apart["podAffinityTerm"]["labelSelector"]["matchLabels"].items() <= labels


def test_what_runs_on_request_never_runs_by_itself() -> None:
    """Topics are created when somebody says so."""
    assert [True] * len(OVERLAYS) == [
        one(overlay, "CronJob", "topics-create")["spec"]["suspend"] for overlay in OVERLAYS
    ]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_topics_are_created_so_that_a_broker_may_be_lost(overlay: str) -> None:
    """By default they have one replica, and so no minimum in sync."""
    assert named_settings(overlay).topic_replication >= 3
