"""Ctrl-C ends what only looks at once and in good order, on a real Kafka: exit code 130, no traceback."""

import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from typing import Final

import pytest

from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration import dlq_stage as stage
from tests.integration.dlq_stage import surroundings
from tests.integration.letters_on_kafka import write_letters
from tests.integration.recorded_history import History
from tests.letters import make_letter
from tests.unit.input_records import InputRecord

WAIT_S: Final = 20.0
LETTERS: Final = 1_000
INTERRUPTED: Final = 130
PIPE_BYTES: Final = 65_536
# A shell starts what it puts in the background with SIGINT ignored, the tests perhaps; an operator's command is not.
IN_FOREGROUND: Final = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def start(settings: Settings, *arguments: str, stderr: int, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Run a command in the foreground; nobody reads what it prints yet."""
    return subprocess.Popen(
        [sys.executable, "-c", IN_FOREGROUND, "-m", "streams", *arguments],
        env=surroundings(settings),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
    )


def test_a_list_that_a_slow_reader_takes(settings_factory: SettingsFactory) -> None:
    """It hangs at a full pipe when it is interrupted; what it had printed are whole lines but the last."""
    settings = settings_factory(topic_partitions=1)
    record, message = InputRecord(topic=settings.topic("user-changes"), key=b"u-1", value=b"{}"), "m" * 300
    write_letters(settings, [make_letter(record, message=message)] * LETTERS)
    with start(settings, "dlq", "list", "--json", stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        first = running.stdout.readline()  # so it prints now, and cannot end: it has more to say than a pipe holds
        running.send_signal(signal.SIGINT)
        rest, complaint = running.communicate(timeout=WAIT_S)

    assert INTERRUPTED == running.returncode
    assert b"Traceback" not in complaint
    assert LETTERS > 1 + rest.count(b"\n")
    assert len(first) * LETTERS > 4 * PIPE_BYTES


@pytest.mark.parametrize(
    "arguments",
    [("discard", "--all", "--reason-note", "x"), ("erase", "--user", "u-1"), ("replay", "--all")],
)
def test_a_question(settings_factory: SettingsFactory, arguments: tuple[str, ...]) -> None:
    """Ctrl-C is an answer too: nothing is written, and it ends in 130 as everywhere."""
    settings = settings_factory(topic_partitions=1)
    write_letters(settings, [make_letter(InputRecord(topic=settings.topic("user-changes"), key=b"u-1", value=b"{}"))])
    ours, theirs = os.openpty()
    with (
        closing(os.fdopen(ours, "rb", buffering=0)),
        start(settings, "dlq", *arguments, stderr=subprocess.PIPE, stdin=theirs) as running,
    ):
        assert running.stderr is not None
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(running.stderr.fileno(), 1024)
        running.send_signal(signal.SIGINT)
        _, more = running.communicate(timeout=WAIT_S)

    assert (INTERRUPTED, []) == (running.returncode, stage.decisions(settings))
    assert b"Traceback" not in shown + more


def test_an_erasure_that_waits_for_kafka(settings_factory: SettingsFactory) -> None:
    """It says that not all is erased, and what to do."""
    settings = settings_factory(topic_partitions=1)
    write_letters(settings, [make_letter(InputRecord(topic=settings.topic("user-changes"), key=b"u-1", value=b"{}"))])
    with start(settings, "dlq", "erase", "--user", "u-1", "--yes", stderr=subprocess.PIPE) as running:
        assert running.stderr is not None
        shown = b""
        while b"anew" not in shown:
            shown += os.read(running.stderr.fileno(), 1024)
        running.send_signal(signal.SIGINT)
        _, more = running.communicate(timeout=WAIT_S)

    assert INTERRUPTED == running.returncode, shown + more
    assert b"run it again" in more.splitlines()[-1]


def test_an_audit(settings_factory: SettingsFactory) -> None:
    """While it waits for results that are not committed yet, which its progress on the terminal says."""
    settings = settings_factory(topic_partitions=1)
    history = History(settings)
    history.publish("user-changes", 1)
    history.begin("customerio-results", [{"value": b"{}"}])
    ours, theirs = os.openpty()
    with closing(os.fdopen(ours, "rb", buffering=0)) as screen, start(settings, "audit", stderr=theirs) as running:
        os.close(theirs)  # so that reading ends when the command does
        shown = b""
        while b"reading" not in shown:
            shown += screen.read(1024)
        running.send_signal(signal.SIGINT)
        printed, _ = running.communicate(timeout=WAIT_S)
        with suppress(OSError):  # nobody is at the other end any more
            while more := screen.read(1024):
                shown += more

    assert (INTERRUPTED, b"") == (running.returncode, printed)
    assert b"Traceback" not in shown
