"""The commands as a person runs them: in processes of their own, on a real Kafka."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from streams.kafka.topic_plan import plan
from streams.local_kafka.broker import free_ports
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings

SettingsFactory = Callable[..., Settings]
STOP_S_MAX = 10.0


def cio_streams(settings: Settings, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        env=environment(settings, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def environment(settings: Settings, **variables: str) -> dict[str, str]:
    """Give the variables of these settings."""
    own = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "TOPIC_PREFIX": settings.topic_prefix,
        "TOPIC_PARTITIONS": str(settings.topic_partitions),
        "APP_ID": settings.app_id,
    }
    return {**os.environ, **own, **variables}


def test_topics_create_then_check(settings_factory: SettingsFactory) -> None:
    """Creating prints each topic, checking then finds nothing, creating again makes nothing."""
    settings = settings_factory(create=False)

    created = cio_streams(settings, "topics", "create")
    checked = cio_streams(settings, "topics", "check")
    again = cio_streams(settings, "topics", "create", "--json")

    assert (created.returncode, checked.returncode, again.returncode) == (0, 0, 0)
    assert {f"created {topic.name}" for topic in plan(settings).values()} == set(created.stdout.splitlines())
    assert json.loads(again.stdout) == {"created": []}


def test_topics_check_fails_with_every_difference(settings_factory: SettingsFactory) -> None:
    """Exit 1, one line for each on stdout, one line on stderr; as JSON, one object."""
    settings = settings_factory().with_changes(topic_partitions=3)

    plain, as_json = cio_streams(settings, "topics", "check"), cio_streams(settings, "topics", "check", "--json")

    assert (plain.returncode, as_json.returncode) == (1, 1)
    assert len(plain.stdout.splitlines()) == 12
    assert len(plain.stderr.splitlines()) == 1
    assert {"topic", "what", "expected", "actual"} == set(json.loads(as_json.stdout)["differences"][0])


def test_check_passes_when_all_is_well(settings_factory: SettingsFactory) -> None:
    """Settings, Kafka, topics, credentials and region are right."""
    settings = settings_factory()
    with running_sandbox(SandboxOptions(site_id="s", track_api_key="k")) as url:
        own = {"CUSTOMERIO_TRACK_URL": url, "CUSTOMERIO_SITE_ID": "s", "CUSTOMERIO_TRACK_API_KEY": "k"}
        done = cio_streams(settings, "check", **own)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (SandboxOptions(region="eu"), "CUSTOMERIO_REGION: is us"),
        (SandboxOptions(site_id="s", track_api_key="other"), "(401)"),
    ],
)
def test_check_finds_a_wrong_region_and_wrong_credentials(
    settings_factory: SettingsFactory, options: SandboxOptions, said: str
) -> None:
    """Both are told before a worker would run into them, and the key is not shown."""
    settings = settings_factory()
    with running_sandbox(options) as url:
        own = {"CUSTOMERIO_TRACK_URL": url, "CUSTOMERIO_SITE_ID": "s", "CUSTOMERIO_TRACK_API_KEY": "k3y-of-mine"}
        done = cio_streams(settings, "check", **own)

    (line,) = done.stderr.splitlines()

    assert done.returncode == 1
    assert said in line
    assert "k3y-of-mine" not in line


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_kafka_runs_until_it_is_told_to_end(how: signal.Signals) -> None:
    """It says where it listens, and Ctrl-C ends it with 0, also when a script put it in the background."""
    port, _ = free_ports()
    in_background = "import os, signal as s, sys; s.signal(s.SIGINT, s.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", in_background, sys.executable, "-m", "streams", "kafka", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as kafka:
        assert kafka.stdout is not None
        first = kafka.stdout.readline()
        kafka.send_signal(how)

        assert f"127.0.0.1:{port}" in first
        assert kafka.wait(STOP_S_MAX) == 0


def test_kafka_on_a_taken_port_fails_in_one_line(kafka: str) -> None:
    """The line names the port."""
    port = kafka.rpartition(":")[2]
    command = [sys.executable, "-m", "streams", "kafka", "--port", port]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    (line,) = done.stderr.splitlines()

    assert done.returncode == 1
    assert f"Port {port} is taken" in line
