"""Wrong usage of the `dlq` commands is told before Kafka is spoken to."""

import pytest

from streams.__main__ import run

NOTE = ["--reason-note", "x"]
pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--since", "yesterday"],
        ["list", "--limit", "0"],
        ["list", "--reason", "bad"],
        ["list", "--state", "lost"],
        ["list", "--partition", "-1"],
        ["stats", "--until", "1700000000000"],
        ["show"],
        ["show", "3"],
        ["show", "3/-1"],
        ["discard", "0/0", *NOTE],
        ["discard", "0/0", "--yes"],
        ["discard", "0/0", "--yes", "--reason-note", " "],
        ["discard", "--yes", *NOTE],
        ["discard", "nonsense", "--yes", *NOTE],
        ["discard", "0/0", "--yes", "--reason-note", "x" * 2_000],
        ["discard", "0/0", "--yes", "--reason-note", "\udcff"],
    ],
)
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing goes to stdout."""
    assert run(["dlq", *arguments]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "arguments", [["list"], ["stats"], ["show", "0/0"], ["discard", "--all", "--yes", *NOTE], ["list", "--json"]]
)
def test_a_kafka_that_is_not_there_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It says where it was looked for."""
    assert run(["dlq", *arguments]) == 1

    written = capsys.readouterr()
    (line,) = written.err.splitlines()
    assert "127.0.0.1:1 cannot be reached" in line
    assert written.out == ""
