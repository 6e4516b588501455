"""What a worker asks Customer.io when it starts, and a key that is revoked and replaced while it works."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
from confluent_kafka import Producer

from streams.kafka.clients import librdkafka_config
from streams.local_kafka.broker import free_ports
from streams.sandbox.account import REGION_PATH
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.faults.evidence import committed
from tests.integration.troubled_stage import READY, Stage
from tests.integration.worker_process import START_S, WorkerProcess, environment

SOON_S = 6.0  # well under the breaker's pause by then
PAUSE_S = 9.0
SITE, OLD, NEW = "s3cret-site", "s3cret-old", "s3cret-new"


@contextlib.contextmanager
def stage_at(url: str, settings: Settings, folder: Path, **environ: str) -> Iterator[Stage]:
    """Start a worker for this URL, whether or not somebody listens there."""
    with (
        httpx.Client(base_url=url, trust_env=False, timeout=30) as sandbox,
        WorkerProcess(environment(settings, url, **environ), folder / "worker.log") as worker,
    ):
        yield Stage(settings=settings, worker=worker, sandbox=sandbox, producer=Producer(librdkafka_config(settings)))


def key_from(file: Path) -> dict[str, str]:
    """What the worker is told."""
    return {
        "CUSTOMERIO_SITE_ID": SITE,
        "CUSTOMERIO_TRACK_API_KEY": "",
        "CUSTOMERIO_TRACK_API_KEY_FILE": str(file),
    }


def replace(file: Path, content: str) -> None:
    """By a rename, as secrets are."""
    beside = file.with_suffix(".new")
    beside.write_text(content)
    beside.replace(file)


def asked(stage: Stage) -> list[tuple[str, int]]:
    """Path and status of every request that the sandbox saw."""
    seen = [orjson.loads(line) for line in stage.sandbox.get("/sandbox/requests").text.splitlines()]
    return [(each["path"], each["status"]) for each in seen]


def refusals(stage: Stage) -> int:
    """How many requests met a 401."""
    return sum(status == 401 for _, status in asked(stage))


def longest_pause_s(stage: Stage) -> float:
    """How long the breaker has waited for a probe, or is waiting."""
    return max((line["in_s"] for line in stage.worker.lines() if line["event"] == "next probe"), default=0.0)


def test_a_revoked_key_holds_the_records_until_its_file_changes(
    settings_factory: SettingsFactory, tmp_path: Path
) -> None:
    """No dead letter, no restart: what waits is delivered right after, and the log shows neither key."""
    key = tmp_path / "key"
    replace(key, OLD)
    with (
        running_sandbox(SandboxOptions(site_id=SITE, track_api_key=OLD)) as url,
        stage_at(url, settings_factory(), tmp_path, **key_from(key), LOG_LEVEL="debug") as stage,
    ):
        stage.worker.wait_until_it_says(READY)
        stage.publish(50)
        stage.wait_until_concluded(20)
        stage.sandbox.put("/sandbox/account", json={"track_api_key": NEW}).raise_for_status()
        stage.publish(200)
        stage.worker.wait_for(lambda: longest_pause_s(stage) > PAUSE_S, 90)
        state, held = stage.breaker(), stage.outcomes()
        replace(key, NEW)
        took_s = stage.wait_until_concluded(30)

        assert stage.outcomes() == {"delivered": 250}
        assert stage.worker.stop() == 0
    assert (state, held) == (("open", "credentials"), {"delivered": 50})
    assert took_s < SOON_S
    assert b"s3cret" not in (tmp_path / "worker.log").read_bytes()


def test_a_worker_with_a_wrong_key_starts_and_waits(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """One line says which credentials; when the file has the right one, all is delivered."""
    key = tmp_path / "key"
    replace(key, OLD)
    with (
        running_sandbox(SandboxOptions(site_id=SITE, track_api_key=NEW)) as url,
        stage_at(url, settings_factory(), tmp_path, **key_from(key)) as stage,
    ):
        stage.publish(10)
        stage.worker.wait_until_it_says(READY)
        stage.worker.wait_for(lambda: refusals(stage) > 1, 20)
        replace(key, NEW)
        stage.wait_until_concluded(20)

        assert stage.outcomes() == {"delivered": 10}
        (line,) = [line for line in stage.worker.lines() if line["event"].startswith("the worker starts")]
        (shown,) = [line for line in stage.worker.lines() if line["event"] == "settings"]
    assert (shown["customerio_track_api_key"], shown["customerio_track_api_key_file"]) == ("***", str(key))
    assert "refuses CUSTOMERIO_SITE_ID and CUSTOMERIO_TRACK_API_KEY (401)" in line["fault"]
    assert line["advice"] == "CUSTOMERIO_TRACK_API_KEY_FILE: read again by itself"


def test_a_worker_without_customerio_starts_and_waits(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """One warning; it is an outage like any other."""
    _, port = free_ports()
    with stage_at(f"http://127.0.0.1:{port}", settings_factory(), tmp_path) as stage:
        stage.publish(10)
        stage.worker.wait_until_it_says(READY)
        with running_sandbox(port=port):
            stage.wait_until_concluded(40)

            assert stage.outcomes() == {"delivered": 10}
        (line,) = [line for line in stage.worker.lines() if line["event"].startswith("the worker starts")]
    assert (line["level"], line["fault"].endswith("cannot be reached (ConnectError)")) == ("warning", True)


def test_a_worker_for_another_region_does_not_start(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Exit code 2 and one line; Customer.io was asked for the region only, and no record was taken."""
    settings = settings_factory()
    with (
        running_sandbox(SandboxOptions(account_region="eu")) as url,
        stage_at(url, settings, tmp_path) as stage,
    ):
        stage.publish(10)
        stage.worker.wait_for(lambda: stage.worker.code is not None, START_S)
        requests = asked(stage)
    places = [(settings.topic("user-changes"), partition) for partition in range(settings.topic_partitions)]
    said = [line["event"] for line in stage.worker.lines() if "logger" not in line]

    assert stage.worker.code == 2
    assert said == [
        "Wrong settings:",
        f"CUSTOMERIO_REGION: is us, but Customer.io at {url} says the account is in eu, expected eu",
    ]
    assert requests == [(REGION_PATH, 200)]
    assert set(committed(librdkafka_config(settings), settings.app_id, places).values()) == {0}
