"""What the processes get in Google Cloud: evaluated by Terraform, judged by our own settings and command line."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from pydantic import SecretStr
from typer.core import TyperGroup

from streams.cli import app
from streams.settings import Settings, load_settings
from streams.warehouse.bigquery.register import REGISTER
from streams.warehouse.bigquery.table_file import table_file
from streams.webhooks.receiver import PATH
from tests.deploy.hcl import MODULE, blocks, nested, of_kind
from tests.deploy.ports import PORT_SETTINGS
from tests.deploy.terraform_run import LEAST, MOST, Evaluation

PORTS: Final = {**PORT_SETTINGS, "receiver": PORT_SETTINGS["webhooks"]}
CUSTOMERIO: Final = {"customerio-site-id", "customerio-track-api-key", "customerio-app-api-key"}
KAFKA: Final = {
    "kafka-sasl-password",
    "kafka-ssl-ca",
    "kafka-ssl-certificate",
    "kafka-ssl-key",
    "kafka-ssl-key-password",
}


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """Give the folder."""
    return Evaluation(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="module")
def most(evaluation: Evaluation) -> dict[str, Any]:
    """Give what the module decides with every secret there can be."""
    return evaluation.outputs(MOST)


def environment(env: Mapping[str, str], *, folder: Path, mounts: str) -> dict[str, str]:
    """The same with its files here instead of in Cloud Run's mounts."""
    here = {}
    for name, value in env.items():
        here[name] = value
        if value.startswith(mounts):
            path = folder / value.removeprefix(mounts).strip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("s3cret")
            here[name] = str(path)
    return here


def test_each_process_takes_its_settings(most: Mapping[str, Any], tmp_path: Path) -> None:
    """Every name is one of ours, every value is right, and each secret comes from its file."""
    for process, env in most["env_of"].items():
        mine = environment(env, folder=tmp_path, mounts=most["secrets_folder"])
        settings = load_settings(mine, needs_track=process == "worker")
        names = {name.removesuffix("_FILE").lower() for name in env}

        assert names <= set(Settings.model_fields)
        assert settings.topic("user-changes") == "dev.user-changes"
        assert settings.kafka_sasl_password == SecretStr("s3cret")
        assert settings.app_id == "customerio-streams-dev"


def test_each_process_listens_where_it_is_asked(most: Mapping[str, Any], tmp_path: Path) -> None:
    """Probes, Cloud Run's requests and the Prometheus sidecar all come to port 8080."""
    ports = {}
    for process, env in most["env_of"].items():
        settings = load_settings(environment(env, folder=tmp_path, mounts=most["secrets_folder"]))
        host = settings.webhook_host if process == "receiver" else settings.http_host
        ports[process] = (host, getattr(settings, PORTS[process]))

    assert ports == dict.fromkeys(most["programs"], ("0.0.0.0", 8080))


def test_each_process_runs_a_command_that_there_is(most: Mapping[str, Any]) -> None:
    """With no word after it that it does not know."""
    for program in most["programs"].values():
        command, words = typer.main.get_command(app), list(program["args"])
        while words and isinstance(command, TyperGroup):
            command = command.commands[words.pop(0)]

        assert [] == words
        assert not isinstance(command, TyperGroup) or command.invoke_without_command


def test_each_process_reads_its_own_secrets(most: Mapping[str, Any]) -> None:
    """Nobody but the workers has Customer.io's keys, nobody but the receiver the webhooks'."""
    read = {process: set(secrets) for process, secrets in most["secrets_of"].items()}

    assert read == {
        "receiver": {"customerio-webhook-signing-key"} | KAFKA,
        "worker": CUSTOMERIO | KAFKA,
        "warehouse": KAFKA,
        "dlq-watch": KAFKA,
    }


def test_no_secret_can_come_among_the_settings(most: Mapping[str, Any]) -> None:
    """It would stand in Terraform's state."""
    secret = {name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}

    assert secret
    assert secret <= set(most["taken_settings"])


def test_what_the_module_sets_cannot_be_set_twice(most: Mapping[str, Any]) -> None:
    """All but what operators may choose otherwise."""
    set_here = {name for env in most["env_of"].values() for name in env}

    assert {"LOG_LEVEL", "LOG_FORMAT", "DRAIN_S"} == set_here - set(most["taken_settings"])


def test_the_state_has_no_secret() -> None:
    """Only the user's name, which is none, is put into a version by Terraform."""
    versions = [block for block in blocks(MODULE) if block.labels[:1] == ("google_secret_manager_secret_version",)]

    assert [block.body["secret_data"] for block in versions] == ["${var.kafka.sasl_username}"]


def test_without_options_no_secret_is_expected(evaluation: Evaluation) -> None:
    """A secret without a version keeps Cloud Run from starting anything."""
    plain = {"bootstrap_servers": "kafka:9092", "security_protocol": "PLAINTEXT"}
    decided = evaluation.outputs({**LEAST, "kafka": plain, "has_app_api": False})

    assert set(decided["secrets"]) == {
        "customerio-site-id",
        "customerio-track-api-key",
        "customerio-webhook-signing-key",
    }
    assert not any(name.startswith("KAFKA_SASL") for name in decided["env_of"]["worker"])


@pytest.mark.parametrize(
    ("partitions", "rate", "useful"), [(12, 100, 10), (3, 100, 3), (12, 55, 5), (12, 4, 1), (1000, 100_000, 10)]
)
def test_useful_replicas(evaluation: Evaluation, partitions: int, rate: int, useful: int) -> None:
    """As many as partitions, one for every 10 requests a second, at least 1 and at most 10."""
    given = {**LEAST, "workers": 1, "partitions": partitions, "track_rate_per_s": rate}

    assert evaluation.outputs(given)["useful_replicas"] == useful


WRONG: Final[Mapping[str, object]] = {
    "project_id": "Shop",
    "region": "Europe",
    "environment": "Dev",
    "image": "customerio-streams:latest",
    "workers": 11,
    "partitions": 0,
    "restart": "Now!",
    "receiver_instances": {"min": 0, "max": 10},
    "autoscaler": {"lag": 0},
    "vpc_access": {"connector": "a", "network": "b"},
    "dataset_location": "Europe",
    "notification_channels": ["mail"],
    "metrics_image": "sidecar:latest",
    "lag_seconds_max": 0,
    "labels": {"App": "x"},
    "app_id": "Customerio",
    "topic_prefix": "dev/",
    "kafka": {"bootstrap_servers": "kafka", "sasl_username": "u"},
    "customerio_region": "de",
    "track_rate_per_s": 0,
    "settings": {"CUSTOMERIO_SITE_ID": "7"},
}


def test_every_judged_variable_is_tried() -> None:
    """All but those that are true or false."""
    assert set(WRONG) == {name for name, body in of_kind(MODULE, "variable").items() if body["type"] != "bool"}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_variable_is_refused(evaluation: Evaluation, name: str) -> None:
    """By one of its own sentences."""
    said = " ".join(evaluation.faults(**{name: WRONG[name]}).replace("│", " ").split())
    validations = [each for kind, each in nested(of_kind(MODULE, "variable")[name]) if kind == "validation"]

    assert any(each["error_message"].partition("${")[0] in said for each in validations)


@pytest.mark.parametrize(
    "vpc_access", [{"connector": "kafka"}, {"network": "n", "subnetwork": "s"}, {"subnetwork": "s"}, None]
)
def test_a_way_into_the_network_is_taken(evaluation: Evaluation, vpc_access: object) -> None:
    """Either of the two, or none."""
    assert evaluation.faults(vpc_access=vpc_access) == ""


def test_webhooks_go_where_the_receiver_takes_them() -> None:
    """The address that is told is the receiver's path."""
    assert of_kind(MODULE, "output")["webhook_url"]["value"].endswith("}" + PATH)


def test_tables_are_those_of_the_program() -> None:
    """`make docs` writes the file anew."""
    assert (MODULE / "warehouse.json").read_text() == table_file()


def test_tables_are_divided_as_the_loader_insists() -> None:
    """By the day of a column that there is, which the loader checks at its start, but for its own notes."""
    for name, table in json.loads((MODULE / "warehouse.json").read_text()).items():
        columns = {column["name"]: column["type"] for column in table["schema"]}

        assert table["day"] is None if name == REGISTER.name else columns[table["day"]] == "TIMESTAMP"
        assert set(table["cluster"]) <= set(columns)
