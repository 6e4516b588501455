"""Exit codes and what is said on stderr, with the command line run in this process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.__main__ import run

COMMANDS = (
    "worker",
    "topics",
    "publish",
    "sandbox",
    "kafka",
    "check",
    "audit",
    "why",
    "webhooks",
    "warehouse",
    "acls",
    "report",
)
pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.mark.parametrize("arguments", [["--help"], ["topics", "--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_is_no_failure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Every command of the contract explains itself."""
    assert run(arguments) == 0
    assert "Usage: cio-streams" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bogus"],
        ["topics"],
        ["topics", "bogus"],
        ["check", "--bogus"],
        ["publish"],
        ["why"],
        ["why", "x"],
        ["why", "x/0/0"],
        ["audit", "--topic", "x"],
        ["audit", "--since", "x"],
        ["webhooks", "bogus"],
        ["webhooks", "import"],
        ["webhooks", "import", "/nowhere/export.jsonl"],
        ["webhooks"],
    ],
)
def test_wrong_usage_is_two(arguments: list[str]) -> None:
    """Unknown commands, unknown options and missing arguments."""
    assert run(arguments) == 2


@pytest.mark.parametrize("arguments", [["worker"], ["topics", "create"], ["topics", "check"]])
def test_bad_settings_are_two_and_name_every_fault(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is connected to before they are right, and nothing secret is shown."""
    monkeypatch.setenv("TOPIC_PARTITIONS", "none")
    monkeypatch.setenv("CUSTOMERIO_TRACK_API_KEY", "hunter two")

    assert run(arguments) == 2

    written = capsys.readouterr()
    assert written.out == ""
    assert "\nTOPIC_PARTITIONS: " in written.err
    assert "\nCUSTOMERIO_TRACK_API_KEY: " in written.err
    assert "hunter" not in written.err


def test_a_worker_without_credentials_is_two_and_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Both that are missing are named."""
    assert run(["worker"]) == 2

    said = capsys.readouterr().err
    assert "CUSTOMERIO_SITE_ID: is missing" in said
    assert "CUSTOMERIO_TRACK_API_KEY: is missing" in said


def test_a_kafka_that_is_not_there_is_one_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line says where it was looked for."""
    assert run(["topics", "check"]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert "127.0.0.1:1 cannot be reached" in line


def test_check_tells_all_faults_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """No Kafka and no credentials are two kinds of fault, both told by one run."""
    assert run(["check"]) == 1

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "Kafka at 127.0.0.1:1 cannot be reached" in lines[2]


def test_check_tells_bad_settings_as_its_faults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check` is the command that judges settings, so wrong ones are its finding: exit 1, also as JSON."""
    monkeypatch.setenv("CUSTOMERIO_REGION", "asia")

    assert run(["check", "--json"]) == 1

    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert [fault.partition(":")[0] for fault in found["faults"]] == [
        "CUSTOMERIO_REGION",
        "CUSTOMERIO_SITE_ID",
        "CUSTOMERIO_TRACK_API_KEY",
    ]


def test_output_that_finds_no_room_is_one_and_one_line() -> None:
    """Whether a command prints little or much; and whoever has left is told nothing."""
    with Path("/dev/full").open("w") as full:
        ends = [
            subprocess.run(
                [sys.executable, "-m", "streams", *arguments], stdout=full, stderr=subprocess.PIPE, check=False
            )
            for arguments in (["--help"], ["topics", "create", "--help"])
        ]

    assert [(1, b"The output cannot be written: No space left on device\n")] * 2 == [
        (each.returncode, each.stderr) for each in ends
    ]


def test_the_command_line_starts_without_kafka_faust_or_http_clients() -> None:
    """`--help` and wrong usage answer at once: what is heavy is imported by the command that needs it."""
    code = (
        "import sys, streams.cli; print(*sorted({'confluent_kafka', 'faust', 'httpx', 'aiokafka'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env={**os.environ})

    assert done.stdout.strip() == ""
