"""Wrong usage of the `dlq` commands that write: exit code 2 before anything is connected to."""

import io

import pytest

from streams.__main__ import run


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["replay", "--yes"], "their names, a filter, or --all"),
        (["replay", "--limit", "3", "--yes"], "their names, a filter, or --all"),
        (["replay", "--all"], "--yes"),
        (["replay", "0/0", "--rate", "0", "--yes"], "--rate"),
        *((["replay", "0/0", "--rate", number, "--yes"], "--rate") for number in ("inf", "nan")),
        (["replay", "--all", "--yes", "--decided-before", "soon"], "--decided-before"),
        (["replay", "0-0", "--yes"], "PARTITION/OFFSET"),
        (["replay", "0/0", "--reason", "malformed", "--yes"], "not both"),
        (["discard", "0/0", "--partition", "0", "--reason-note", "x", "--yes"], "not both"),
        (["replay", "--since", "yesterday", "--yes"], "90s"),
        (["replay", "--all", "--yes", "--reason-note", "x" * 1_001], "over 1000 bytes"),
        (["replay", "--all", "--what-if", "--against", "production"], "sandbox"),
        (["replay", "0/0", "--all", "--yes"], "not both"),
        (["replay", "--since", "yesterday", "--yes"], "--since"),
        (["replay", "--topic", "nope", "--yes"], "user-changes"),
        (["list", "--topic", "nope"], "user-changes"),
        (["list", "--until", "tomorrow"], "--until"),
        (["resume"], "--yes"),
        (["resume", "nope"], "user-changes"),
        (["edit", "0/0", "--yes", "--reason-note", "  "], "--reason-note"),
        (["edit", "0/0", "--yes"], "--reason-note"),
        (["edit", "0/0", "--reason-note", "mended"], "--yes"),
        (["edit", "0/0", "--out", "a", "--in", "/dev/null"], "one at a time"),
        (["edit", "all", "--out", "a"], "PARTITION/OFFSET"),
    ],
)
def test_it_says_what_is_wrong(
    arguments: list[str], what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Off a terminal nobody can be asked, and without letters nothing is replayed by accident."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr("sys.stdin", io.StringIO())  # no terminal

    assert 2 == run(["dlq", *arguments])
    assert what in " ".join(capsys.readouterr().err.replace("│", " ").split())
