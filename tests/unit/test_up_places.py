"""What `up` tells a person to open and to run."""

import sys
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.up.places import own_command, places_of
from streams.up.plan import Addresses, Plan

LOGS = Path("/logs")


def make_places(
    *,
    bootstrap: str = "127.0.0.1:9092",
    is_local: bool = True,
    sandbox_url: str | None = "http://127.0.0.1:8081",
    webhook_port: int | None = 8082,
    **settings: str,
) -> dict[str, str]:
    """Give the places of an `up`, with only what matters."""
    plan = Plan(is_kafka_local=is_local, is_customerio_sandbox=sandbox_url is not None)
    addresses = Addresses(
        bootstrap=bootstrap, http_port=8080, warehouse_port=8083, sandbox_url=sandbox_url, webhook_port=webhook_port
    )
    chosen = Settings.model_validate({"http_host": "0.0.0.0"} | settings)
    return dict(places_of(chosen, plan=plan, addresses=addresses, logs=LOGS, command="cio-streams"))


def test_everything_can_be_opened() -> None:
    """The sandbox's page, the worker's probes, Kafka's address and the logs."""
    places = make_places()

    assert "http://127.0.0.1:8081" in places["Customer.io"]
    assert places["Worker"] == "http://127.0.0.1:8080/metrics  http://127.0.0.1:8080/readyz"
    assert places["Kafka"].startswith("127.0.0.1:9092")
    assert places["Webhooks"] == "http://127.0.0.1:8082/webhooks/customerio"
    assert places["Logs"] == "/logs"


def test_the_report_reads_the_warehouse_that_is_loaded() -> None:
    """One that goes with its Kafka has to be named; one that is set, or lies where it is looked for, has not."""
    assert make_places()["Report"] == "WAREHOUSE=duckdb:/logs/warehouse.duckdb cio-streams report"
    assert make_places(is_local=False)["Report"] == "cio-streams report"
    assert make_places(warehouse="duckdb:mine.duckdb")["Report"] == "cio-streams report"


def test_without_a_signing_key_the_real_one_reports_nothing() -> None:
    """What would be needed is named."""
    assert "CUSTOMERIO_WEBHOOK_SIGNING_KEY" in make_places(sandbox_url=None, webhook_port=None)["Webhooks"]


def test_publishing_needs_no_variable_where_kafka_is_where_it_is_looked_for() -> None:
    """The shortest command that works is shown."""
    assert make_places()["Publish"].startswith("cio-streams publish user-changes ")


def test_publishing_to_a_local_kafka_elsewhere_names_its_address() -> None:
    """The line works when it is copied."""
    places = make_places(bootstrap="127.0.0.1:9093")

    assert places["Publish"].startswith("KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9093 cio-streams publish ")
    assert "| KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9093 cio-streams publish " in places["Try"]


def test_a_kafka_of_ones_own_is_in_the_environment_already() -> None:
    """Its address stands in the variable that the command reads too."""
    places = make_places(bootstrap="kafka:9092", is_local=False)

    assert places["Publish"].startswith("cio-streams publish ")
    assert "sample traffic" not in places["Kafka"]


def test_the_real_customerio_is_said_to_be_real() -> None:
    """Nobody takes it for the sandbox."""
    assert "https://track.customer.io" in make_places(sandbox_url=None)["Customer.io"]


@pytest.mark.parametrize(
    ("folder", "searched", "expected"),
    [(".", "bin", "cio-streams"), (".", "", "bin/cio-streams"), ("elsewhere", "", "{}/bin/cio-streams")],
)
def test_the_command_is_what_a_person_types_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str, searched: str, expected: str
) -> None:
    """The name alone if the shell finds it, else the shortest path that works."""
    script = tmp_path / "bin" / "cio-streams"
    script.parent.mkdir()
    script.touch(mode=0o755)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(sys, "executable", str(script.with_name("python")))
    monkeypatch.setenv("PATH", str(tmp_path / searched) if searched else "")
    monkeypatch.chdir(tmp_path / folder)

    assert own_command() == expected.format(tmp_path)


def test_without_an_installed_script_python_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also then the line works when it is copied."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "")

    assert own_command() == f"{tmp_path / 'python'} -m streams"
