"""What of an exception is told."""

import asyncio
import logging
import subprocess
import sys

import pytest
import requests
import structlog
from aiokafka.errors import KafkaTimeoutError
from pydantic import TypeAdapter, ValidationError

from schemas.errors import UnavailableError
from streams.logs import configure
from streams.settings import Settings
from streams.tracebacks import described, traceback_text

MARK = "ada@example.com"


def caught(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """One that was raised, in the end."""
    try:
        raise error from cause  # noqa: TRY301 - so that it has a stack
    except BaseException as raised:  # noqa: BLE001 - it is given back
        return raised


def invalid() -> ValidationError:
    """What a validator says of what it was given."""
    with pytest.raises(ValidationError) as found:
        TypeAdapter(int).validate_python(MARK)
    return found.value


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError(MARK), "KeyError: ***"),
        (ValueError(), "ValueError"),
        (UnicodeDecodeError("utf-8", MARK.encode(), 0, 1, "bad"), "UnicodeDecodeError: ***"),
        (OSError(2, "No such file"), "OSError: [Errno 2] No such file"),
        (
            requests.ConnectionError(f"Max retries exceeded with url: /?key={MARK}"),
            "requests.exceptions.ConnectionError: ***",
        ),
        (UnavailableError("Kafka is away"), "schemas.errors.UnavailableError: Kafka is away"),
        (KafkaTimeoutError("late"), "aiokafka.errors.KafkaTimeoutError: KafkaTimeoutError: late"),
    ],
)
def test_only_what_speaks_of_itself_is_quoted(error: BaseException, text: str) -> None:
    """Ours, Kafka's and the system's; of others the kind."""
    assert text == described(error).replace("FileNotFoundError", "OSError")


def test_a_traceback_has_all_its_stacks_and_no_text() -> None:
    """Of causes, of what was handled, of groups."""
    group = ExceptionGroup(MARK, [invalid(), ValueError(MARK)])
    text = traceback_text(caught(UnavailableError("away"), caught(KeyError(MARK), caught(group))))

    assert MARK not in text
    told = [line for line in text.splitlines() if line.endswith((": ***", ": away"))]
    assert [
        "ExceptionGroup: ***",
        "pydantic_core._pydantic_core.ValidationError: ***",
        "ValueError: ***",
        "KeyError: ***",
        "schemas.errors.UnavailableError: away",
    ] == told
    assert 4 <= text.count("Traceback (most recent call last):")
    assert "in caught" in text


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_library_that_logs_an_exception_quotes_nothing(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither as an argument nor as a traceback, in either format."""
    configure(Settings.model_validate({"log_format": log_format}))
    try:
        dict[str, str]()[MARK]
    except KeyError as error:
        logging.getLogger("mode").exception("Crashed reason=%r", error)  # noqa: TRY401 - as that library does
        structlog.get_logger().exception("crashed")
    written = capsys.readouterr().err

    assert MARK not in written
    assert 3 == written.count("KeyError: ***")


def test_the_event_loop_quotes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a task that nobody has asked for its end."""
    configure(Settings(log_format="json"))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(fail())
        await asyncio.wait({task})
        context = {"message": "Task exception was never retrieved", "exception": task.exception(), "future": task}
        loop.call_exception_handler(context)

    async def fail() -> None:
        dict[str, str]()[MARK]

    asyncio.run(main())
    written = capsys.readouterr().err

    assert MARK not in written
    assert "never retrieved" in written


@pytest.mark.parametrize(("module", "text"), [("streams.x", "AssertionError: a hole"), ("x", "AssertionError: ***")])
def test_what_we_assert_is_quoted(module: str, text: str) -> None:
    """Its words are ours where it was raised in our code."""
    with pytest.raises(AssertionError) as found:
        exec("raise AssertionError('a hole')", {"__name__": module})  # noqa: S102 - a module of our choice

    assert text == described(found.value)


def test_what_nobody_catches_quotes_nothing() -> None:
    """In the main thread and in others, and where no exception can be raised."""
    code = f"""
import threading
from streams.tracebacks import hide_what_is_uncaught
hide_what_is_uncaught()
def fail():
    raise KeyError("{MARK[:3]}" + "{MARK[3:]}")
thread = threading.Thread(target=fail); thread.start(); thread.join()
class Unloved:
    def __del__(self):
        fail()
Unloved()
fail()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert 1 == ended.returncode
    assert MARK not in ended.stderr
    assert 3 == ended.stderr.count("KeyError: ***")
