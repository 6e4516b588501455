"""Reading lines for Kafka, and the options and reports of `cio-streams publish`."""

import io
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from streams.cli.publish import describe, describe_failure, publish
from streams.publishing import publish as publishing
from streams.publishing.publish import LineError, Published, read_lines


def make_published(
    *,
    written: int = 0,
    failed: int = 0,
    without_key: int = 0,
    empty: int = 0,
    is_interrupted: bool = False,
    errors: tuple[LineError, ...] = (),
) -> Published:
    """Build what became of a file."""
    return Published(
        topic="user-changes",
        written=written,
        failed=failed,
        without_key=without_key,
        empty=empty,
        is_interrupted=is_interrupted,
        errors=errors,
    )


def exit_code_of(*arguments: str) -> int:
    """Run the command alone, wrong usage only: nothing of it reaches Kafka."""
    app = typer.Typer()
    app.command()(publish)
    return CliRunner().invoke(app, arguments).exit_code


@pytest.fixture
def tiny_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make eight bytes the limit, so that a test needs no megabytes."""
    monkeypatch.setattr(publishing, "LINE_BYTES_MAX", 8)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"\n \n", [b"", b" "]),
        (b" a\t\n", [b" a\t"]),
        (b"\xff\x00\n", [b"\xff\x00"]),
    ],
)
def test_lines_are_read_byte_for_byte(content: bytes, lines: list[bytes]) -> None:
    """Only the line's end is taken off, whichever system wrote it."""
    assert list(read_lines(io.BytesIO(content))) == lines


@pytest.mark.usefixtures("tiny_lines")
def test_a_line_without_end_is_not_read_into_memory() -> None:
    """What is beyond the limit is passed over up to its end; the next line is read as usual."""
    source = io.BytesIO(b"1234567\n" + b"x" * 30 + b"\nab\n" + b"y" * 16)

    assert list(read_lines(source)) == [b"1234567", None, b"ab", None]


@pytest.mark.parametrize("topic", ["customerio-dlq", "customerio-replay", "nonsense"])
def test_another_topic_is_wrong_usage(topic: str) -> None:
    """Nobody publishes by accident to a topic that workers write."""
    assert exit_code_of(topic, "-") == 2


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    """It is said before Kafka is asked for."""
    assert exit_code_of("user-changes", str(tmp_path / "nothing.jsonl")) == 2


def test_the_report_names_only_what_happened() -> None:
    """Counts of nothing are left out, except how many were written."""
    assert describe(make_published()) == "user-changes: 0 written"
    assert describe(make_published(written=3, failed=1, without_key=2, empty=4)) == (
        "user-changes: 3 written, 1 failed, 2 without key, 4 empty lines skipped"
    )


def test_a_failure_is_one_line_with_the_first_few_reasons() -> None:
    """The lines are named, not quoted."""
    errors = tuple(LineError(line=number, error="Message size too large") for number in range(1, 6))

    text = describe_failure(make_published(written=5, failed=30, errors=errors))

    assert text.startswith("30 of 35 records were not written (line 1: Message size too large; line 2:")
    assert text.endswith("; and 27 more)")
    assert "\n" not in text


def test_an_interrupted_file_is_said_to_be() -> None:
    """What was read by then is on the topic."""
    assert "Interrupted" in describe_failure(make_published(written=5, is_interrupted=True))
