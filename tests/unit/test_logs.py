"""What reaches stderr, in which form, and what does not."""

import json
import logging
import sys

import pytest
import structlog

from streams.logs import QUIET, configure
from streams.settings import Settings


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """Give what was written to stderr, as JSON objects."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def fail_beside_a_payload() -> None:
    """Raise where a local variable holds what must not be logged."""
    payload = "ada@example.com"
    raise RuntimeError(f"broken after {len(payload)} characters")


def test_off_a_terminal_each_event_is_a_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Fields stand beside the event, with level, logger and time."""
    configure(Settings())
    structlog.get_logger("streams.worker").info("assigned", partitions=3)

    (line,) = events(capsys)

    assert line.pop("timestamp")
    assert line == {"event": "assigned", "partitions": 3, "level": "info", "logger": "streams.worker"}


def test_the_format_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    """`LOG_FORMAT=console` writes for people, also into a pipe and there without colours."""
    configure(Settings(log_format="console"))
    structlog.get_logger("x").info("assigned", partitions=3)

    written = capsys.readouterr().err

    assert "partitions=3" in written
    assert not written.startswith("{")
    assert "\x1b" not in written


def test_a_terminal_gets_the_readable_form(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `LOG_FORMAT` it depends on where stderr goes."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure(Settings())
    structlog.get_logger("x").info("assigned")

    written = capsys.readouterr().err

    assert "assigned" in written
    assert not written.startswith("{")


def test_libraries_speak_up_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    """Faust's chatter at info is dropped, its warnings are not."""
    configure(Settings())
    for name in QUIET:
        logging.getLogger(f"{name}.part").info("chatter")
        logging.getLogger(f"{name}.part").warning("trouble with %s", name)

    assert [f"trouble with {name}" for name in QUIET] == [line["event"] for line in events(capsys)]


@pytest.mark.parametrize(("level", "heard"), [("debug", ["chatter", "trouble"]), ("error", [])])
def test_libraries_follow_debug_and_what_is_above_warning(
    capsys: pytest.CaptureFixture[str], level: str, heard: list[str]
) -> None:
    """Debugging shows theirs; `LOG_LEVEL=error` silences their warnings too."""
    configure(Settings.model_validate({"log_level": level}))
    logging.getLogger("faust.app").debug("chatter")
    logging.getLogger("faust.app").warning("trouble")

    assert heard == [line["event"] for line in events(capsys)]


def test_what_kafka_is_asked_and_answers_is_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """At debug aiokafka writes whole requests and answers: the password, and records."""
    configure(Settings(log_level="debug"))
    for name in ("aiokafka", "aiokafka.conn", "aiokafka.consumer.fetcher"):
        logging.getLogger(name).debug("Response from %s: %s", "broker", b"ada@example.com")
        logging.getLogger(name).info("%s has joined", name)

    assert [line["event"] for line in events(capsys)] == [
        f"{name} has joined" for name in ("aiokafka", "aiokafka.conn", "aiokafka.consumer.fetcher")
    ]


def test_our_own_events_follow_the_level(capsys: pytest.CaptureFixture[str]) -> None:
    """Below the level nothing is written."""
    configure(Settings(log_level="warning"))
    structlog.get_logger("streams.x").info("quiet")
    structlog.get_logger("streams.x").warning("loud")

    assert [line["event"] for line in events(capsys)] == ["loud"]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variables(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    """Local variables hold payloads; the stack is enough."""
    configure(Settings.model_validate({"log_format": log_format}))
    try:
        fail_beside_a_payload()
    except RuntimeError:
        structlog.get_logger("x").exception("crashed")

    written = capsys.readouterr().err

    assert "RuntimeError: ***" in written
    assert "ada@" not in written


def test_configuring_twice_writes_each_event_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that configures again, for example after reading other settings, does not double its lines."""
    configure(Settings())
    configure(Settings())
    structlog.get_logger("x").info("once")

    assert len(events(capsys)) == 1
