"""`cio-streams up` in a subprocess, with everything real: it runs, it says so, and it leaves no process behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration.up_process import STOP_S_MAX, UpProcess

DELIVERED = r"delivered [1-9]"
WATCHING = "Ctrl-C stops all of it"
Start = Callable[..., UpProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give a function that starts one, with these variables."""
    started: list[UpProcess] = []

    def start_one(*, on_terminal: bool = False, **environment: str) -> UpProcess:
        up = UpProcess({"HTTP_PORT": "0"} | environment, folder=tmp_path, on_terminal=on_terminal)
        started.append(up)
        return up

    yield start_one
    for up in started:
        up.close()


def kafka_of(settings: Settings, folder: Path) -> dict[str, str]:
    """Give the variables for a Kafka that is not the local stand-in."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "TOPIC_PREFIX": settings.topic_prefix,
        "APP_ID": settings.app_id,
        "TOPIC_PARTITIONS": "2",
        "WAREHOUSE": f"duckdb:{folder / 'warehouse.duckdb'}",
    }


def test_on_a_pipe_it_delivers_says_so_in_lines_and_ends_with_sigint(start: Start, tmp_path: Path) -> None:
    """The whole tour: what it prints can be opened and tried, and a signal ends all of it with exit code 0."""
    up = start()
    up.wait_for(DELIVERED)
    up.wait_for("webhooks [1-9]")
    (sandbox,) = re.findall(r"open (http://\S+)", up.written)
    (ready,) = re.findall(r"(http://\S+/readyz)", up.written)
    (kafka,) = re.findall(r"Kafka +(\S+:\d+)", up.written)
    (tmp_path / "own.jsonl").write_text('{"type": "user.upserted", "user": {"id": "ada", "plan": "pro"}}\n')

    publish = [sys.executable, "-m", "streams", "publish", "user-changes", str(tmp_path / "own.jsonl")]
    subprocess.run(publish, env=os.environ | {"KAFKA_BOOTSTRAP_SERVERS": kafka}, check=True, timeout=30)

    deadline = time.monotonic() + 20
    while httpx.get(f"{sandbox}/sandbox/people/ada").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert httpx.get(ready).status_code == 200
    assert "\x1b" not in up.written
    up.process.send_signal(signal.SIGINT)
    assert up.wait_for_end() == 0
    assert up.left_behind() == []
    assert up.files_left() == []


def test_on_a_terminal_ctrl_c_ends_all_of_it(start: Start) -> None:
    """The live view shows figures; Ctrl-C there reaches `up` only, which stops the others in order."""
    up = start(on_terminal=True)
    up.wait_for("│ +[1-9]")

    up.press_ctrl_c()

    assert up.wait_for_end() == 0
    assert "delivered" in up.written
    assert "Traceback" not in up.written
    assert up.left_behind() == []
    assert up.files_left() == []


@pytest.mark.parametrize("moment", ["Looking for", "Starting Kafka", "Starting the worker"])
def test_sigterm_while_it_starts_ends_all_of_it(start: Start, moment: str) -> None:
    """Whatever it was waiting for, it ends at once and cleanly."""
    up = start()
    up.wait_for(moment)

    up.process.send_signal(signal.SIGTERM)

    assert up.wait_for_end() == 0
    assert "Traceback" not in up.written
    assert up.left_behind() == []
    assert up.files_left() == []


@pytest.mark.parametrize(
    ("command", "name"),
    [("worker", "worker"), ("sandbox", "sandbox")],
)
def test_a_part_that_ends_by_itself_ends_all_with_exit_code_1(
    start: Start, settings_factory: SettingsFactory, tmp_path: Path, command: str, name: str
) -> None:
    """It says which, shows the end of its log, and keeps that."""
    up = start(**kafka_of(settings_factory(create=False), tmp_path))
    up.wait_for(WATCHING)

    up.part(command).kill()

    assert up.wait_for_end() == 1
    assert f"The {name} ended by itself" in up.written
    assert f"{name}.log" in up.written
    assert up.left_behind() == []
    assert len(up.files_left()) == 1


def test_receiver_and_loader_are_started_again(start: Start, settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Killed while they run, they lose nothing, and that can be seen; it says so."""
    up = start(**kafka_of(settings_factory(create=False), tmp_path))
    up.wait_for(WATCHING)
    (url,) = re.findall(r"(http://\S+)/webhooks/customerio", up.written)

    for command, name in (("webhooks", "receiver"), ("warehouse", "loader")):
        up.part(command).kill()
        up.wait_for(f"The {name} ended by itself with exit code -?[0-9]+, starting it again")

    deadline = time.monotonic() + 30
    while not is_ready(url):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    up.process.send_signal(signal.SIGINT)
    assert up.wait_for_end() == 0
    assert up.left_behind() == []


def is_ready(url: str) -> bool:
    """Whether a part says so."""
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def test_a_local_kafka_that_ends_by_itself_ends_all_with_exit_code_1(start: Start) -> None:
    """It is watched like the others."""
    up = start()
    up.wait_for(WATCHING)

    up.part("kafka.Kafka").kill()

    assert up.wait_for_end() == 1
    assert "The local Kafka ended by itself" in up.written
    assert up.left_behind() == []


def test_a_kafka_of_ones_own_gets_no_sample_traffic(
    start: Start, settings_factory: SettingsFactory, tmp_path: Path
) -> None:
    """Invented people have no business on somebody's cluster."""
    up = start(**kafka_of(settings_factory(create=False), tmp_path))

    up.wait_for("in 0 .*\n(?s:.*)in 0 ")

    assert "sample traffic" not in up.written
    assert not re.search("in [1-9]", up.written)


def test_killed_with_sigkill_it_takes_everything_with_it(
    start: Start, settings_factory: SettingsFactory, tmp_path: Path
) -> None:
    """Nothing goes on without the one that was to watch it."""
    up = start(**kafka_of(settings_factory(create=False), tmp_path))
    up.wait_for(WATCHING)
    assert len(up.left_behind()) >= 8

    up.process.kill()

    deadline = time.monotonic() + STOP_S_MAX
    while up.left_behind():
        assert time.monotonic() < deadline, up.left_behind()
        time.sleep(0.05)


def test_half_of_the_credentials_is_wrong_settings(start: Start) -> None:
    """It names what is missing, with exit code 2, before anything is started."""
    up = start(CUSTOMERIO_SITE_ID="s-1")

    assert up.wait_for_end() == 2
    assert "CUSTOMERIO_TRACK_API_KEY: is missing" in up.written
    assert "Starting" not in up.written
    assert up.files_left() == []
