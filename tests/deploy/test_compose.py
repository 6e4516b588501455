"""docker-compose.yml without an engine: every command, setting, address and condition against what it is about."""

import re
import shlex
from urllib.parse import urlsplit

import pytest
import yaml

from streams.local_kafka.launch import IMAGE as KAFKA_IMAGE
from streams.sandbox.app import create_app
from streams.sandbox.options import PORT as SANDBOX_PORT
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World
from streams.settings import Settings
from streams.webhooks.receiver import PATH
from tests.deploy.compose import COMPOSE, OF_THE_IMAGE, environment, parse, processes, services, settings
from tests.deploy.dockerfile import ROOT, stages
from tests.deploy.ports import PORT_SETTINGS

STOP_S = 10.0
"""What a worker takes to end beyond its drain."""

LASTING = sorted(name for name, each in processes().items() if each["restart"] != "no")


def port_of(name: str) -> int:
    """Where a process listens."""
    if name == "sandbox":
        return SANDBOX_PORT
    return int(getattr(settings(processes()[name]), PORT_SETTINGS[name]))


def listening() -> set[tuple[str, int]]:
    """Every address that one service may call another by."""
    kafka = re.findall(r"//(\w*):(\d+)", services()["kafka"]["environment"]["KAFKA_LISTENERS"])
    return {(name, port_of(name)) for name in LASTING} | {("kafka", int(port)) for _, port in kafka}


def test_something_is_looked_at() -> None:
    """An empty list would pass everything."""
    assert {"topics", "worker", "webhooks", "warehouse", "dlq-watch", "sandbox"} == set(processes())


def test_without_a_profile_there_is_kafka() -> None:
    """The same one as everywhere, and nothing that has to be built first."""
    assert [name for name, each in services().items() if "profiles" not in each] == ["kafka"]
    assert services()["kafka"]["image"] == KAFKA_IMAGE


def test_a_service_does_what_it_is_called_after() -> None:
    """Another command of ours would pass for right, and nobody would count dead letters."""
    called = {"topics": "topics create", "dlq-watch": "dlq watch"}

    assert {name: parse(each["command"]) for name, each in processes().items()} == {
        name: called.get(name, name) for name in processes()
    }


@pytest.mark.parametrize("name", sorted(processes()))
def test_a_command_is_the_command_lines(name: str) -> None:
    """With its subcommand and options."""
    words = processes()[name]["command"]

    assert parse(words).split() == words[: 2 if name in {"topics", "dlq-watch"} else 1]


def test_a_command_that_is_none_is_refused() -> None:
    """So the test above can fail."""
    wrong = (["workers"], ["worker", "--fast"], ["topics", "make"], ["sandbox", "--port", "many"], ["publish"])

    assert [parse(words) for words in wrong] == [""] * len(wrong)


def test_the_commands_in_its_remarks_are_the_command_lines_too() -> None:
    """Whoever copies one gets what is promised."""
    told = re.findall(r"^#.* cio-streams (.+?)(?: <.*)?$", COMPOSE.read_text(), re.MULTILINE)

    assert ["publish", "report"] == [parse(shlex.split(each)) for each in told]


@pytest.mark.parametrize("name", sorted(processes()))
def test_what_a_process_is_given_are_settings(name: str) -> None:
    """No name but a setting's, no value but one that passes the checks at its start."""
    own = processes()[name].get("environment", {})

    assert {each for each in own if each not in OF_THE_IMAGE and each.lower() not in Settings.model_fields} == set()
    assert settings(processes()[name]).bootstrap != ""


@pytest.mark.parametrize("name", LASTING)
def test_a_process_listens_for_the_others(name: str) -> None:
    """Inside its container 127.0.0.1 would be itself alone."""
    service = processes()[name]
    given = settings(service)
    hosts = {"sandbox": dict(zip(service["command"], service["command"][1:], strict=False)).get("--host")}

    assert hosts.get(name, given.webhook_host if name == "webhooks" else given.http_host) == "0.0.0.0"


@pytest.mark.parametrize("name", LASTING)
def test_the_health_check_asks_the_process_itself(name: str) -> None:
    """At its own port: the image's own address is the worker's."""
    url = urlsplit(environment(processes()[name])["HEALTH_URL"])
    options = SandboxOptions()
    sandbox = {getattr(route, "path", None) for route in create_app(World(options=options), options=options).routes}

    assert (url.hostname, url.port) == ("127.0.0.1", port_of(name))
    assert url.path in sandbox if name == "sandbox" else url.path == "/livez"


def test_services_call_each_other_where_they_listen() -> None:
    """By name and port; the webhooks go to the receiver's path."""
    named = {
        (host, int(port))
        for each in processes().values()
        for text in (*each["command"], *each.get("environment", {}).values())
        for host, port in re.findall(r"\b([a-z-]+):(\d+)", text)
    }

    assert {"kafka", "sandbox", "webhooks"} <= {host for host, _ in named}
    assert named - listening() == set()
    assert f"http://webhooks:{port_of('webhooks')}{PATH}" in processes()["sandbox"]["command"]


def test_only_this_machine_can_reach_them() -> None:
    """Published on the loopback address, each on the port that its process has."""
    ports = {(name, port) for name, each in services().items() for port in each.get("ports", [])}
    inside = {(name, int(port.rpartition(":")[2])) for name, port in ports}

    assert {name for name, port in ports if not port.startswith("127.0.0.1:")} == set()
    assert {(name, port) for name, port in inside if name in processes() or name == "kafka"} <= listening()


def test_what_is_waited_for_can_happen() -> None:
    """Health needs a check, an end a service that is not started again; both are there in the same profile."""
    is_checked = {name for name, each in services().items() if "healthcheck" in each} | set(LASTING)
    ends = {name for name, each in services().items() if each.get("restart") == "no"}
    can = {"service_healthy": is_checked, "service_completed_successfully": ends}
    waits = [
        (name, other, condition["condition"])
        for name, each in services().items()
        for other, condition in each.get("depends_on", {}).items()
    ]

    assert any(each.word == "HEALTHCHECK" for each in stages()[-1])
    assert len(waits) >= 5
    assert [wait for wait in waits if wait[1] not in can[wait[2]]] == []
    assert [
        wait
        for wait in waits
        if not set(services()[wait[1]].get("profiles", [])) <= set(services()[wait[0]]["profiles"])
    ] == []


@pytest.mark.parametrize("name", sorted(processes()))
def test_a_process_has_no_rights_and_time_to_end(name: str) -> None:
    """It writes to /tmp and to what is mounted; it is killed only after the time it needs at most."""
    service = processes()[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - it is the container's own
    assert float(service["stop_grace_period"].removesuffix("s")) > settings(service).drain_s + STOP_S


def test_the_warehouse_is_kept() -> None:
    """On a volume at the place where the loader writes."""
    warehouse = processes()["warehouse"]

    assert warehouse["volumes"] == ["warehouse-data:/data"]
    assert settings(warehouse).warehouse.startswith("duckdb:/data/")


def test_what_is_mounted_exists() -> None:
    """Docker would make an empty folder of what does not."""
    mounted = [
        each.partition(":")[0]
        for service in services().values()
        for each in service.get("volumes", [])
        if each.startswith(".")
    ]

    assert len(mounted) == 4
    assert [path for path in mounted if not (ROOT / path).exists()] == []


def test_prometheus_asks_every_process() -> None:
    """By the names and ports that they have here; the sandbox has no metrics."""
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    found = [each for job in config["scrape_configs"] for each in job["dns_sd_configs"]]
    asked = {(name, each["port"]) for each in found for name in each["names"]}

    assert {(name, port_of(name)) for name in LASTING if name != "sandbox"} == asked


def test_prometheus_finds_its_rules_and_names_jobs_as_they_do() -> None:
    """The rules are mounted beside its configuration, and miss no job that it has."""
    folder, mounted = ROOT / "deploy" / "prometheus", services()["prometheus"]["volumes"]
    config = yaml.safe_load((folder / "prometheus.yml").read_text())
    missed = re.findall(r'absent\(up\{job="([^"]+)"}\)', (folder / "rules.yml").read_text())

    for name in ("prometheus.yml", *config["rule_files"]):
        assert f"./deploy/prometheus/{name}:/etc/prometheus/{name}:ro" in mounted
    assert [job["job_name"] for job in config["scrape_configs"]] == missed


def test_grafana_finds_prometheus_and_the_dashboards() -> None:
    """Its data source is the service, and what it looks for is where it is mounted."""
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "customerio-streams.yaml").read_text())["providers"]
    grafana = services()["grafana"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    folder = provider["options"]["path"]

    assert source["url"] == "http://prometheus:9090"
    assert f"./deploy/grafana/dashboards:{folder}:ro" in grafana["volumes"]
    assert (ROOT / "deploy" / "grafana" / "dashboards" / home.removeprefix(f"{folder}/")).is_file()
