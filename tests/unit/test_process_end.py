"""A process that was told to end does so, whatever hangs in it."""

import signal
import subprocess
import sys

import pytest

from streams import process_end

WAIT_S_MAX = 20.0
HANGS = {
    "the interpreter's lock": "ctypes.PyDLL(None).sleep(60)",
    "a thread": "ctypes.CDLL(None).sleep(60)",
}
"""A library's call that keeps the lock, and one that lets the others go on."""


@pytest.mark.parametrize(("hang", "code"), [("the interpreter's lock", -signal.SIGALRM), ("a thread", 3)])
def test_whatever_hangs_it_ends(hang: str, code: int) -> None:
    """Also where no thread of Python's can do anything any more."""
    lines = f"import ctypes; from streams.process_end import end_at_last; end_at_last(0.1, 3); {HANGS[hang]}"
    ended = subprocess.run(
        [sys.executable, "-c", lines], check=False, capture_output=True, timeout=WAIT_S_MAX + process_end.LAST_RESORT_S
    )

    assert code == ended.returncode


def test_a_loader_ends_whose_consumer_does_not_close() -> None:
    """Nobody has told it to end: it had loaded all that was there."""
    lines = (
        "import ctypes; from streams.warehouse import run; from streams.warehouse.source import Source\n"
        "run.STOP_S = 0.1; Source.close = lambda _: ctypes.PyDLL(None).sleep(60)\n"
        "run._LastSource.close(object.__new__(run._LastSource))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", lines], check=False, capture_output=True, timeout=WAIT_S_MAX + process_end.LAST_RESORT_S
    )

    assert ended.returncode == -signal.SIGALRM
