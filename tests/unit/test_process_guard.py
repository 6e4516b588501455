"""The guard ends what it runs when it is told to, and when nobody is left to tell it."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from streams.local_kafka import process_guard

WAIT_S_MAX = 20.0
SLEEPER = "import sys, time; print('up', flush=True); time.sleep(60)"
SLOW_GUARD = f"""
import runpy, subprocess, time

class SlowPopen(subprocess.Popen):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        time.sleep(1)

subprocess.Popen = SlowPopen
runpy.run_path({process_guard.__file__!r}, run_name="__main__")
"""


def start(
    code: str, *, guard: Sequence[str] = (process_guard.__file__,), **kept: list[str] | list[list[str]]
) -> subprocess.Popen[str]:
    """Start a guard over a Python program."""
    spec = process_guard.spec([sys.executable, "-c", code], **kept)  # type: ignore[arg-type] # two kinds of lists by name
    command = [sys.executable, "-I", *guard, spec]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)


def wait_until_up(guard: subprocess.Popen[str]) -> None:
    """Read the first line of the program."""
    assert guard.stdout is not None
    assert guard.stdout.readline() == "up\n"


def test_the_programs_exit_code_is_the_guards() -> None:
    """Whoever watches the guard sees how the program ended."""
    with start("raise SystemExit(7)") as guard:
        assert guard.wait(WAIT_S_MAX) == 7


def test_sigterm_reaches_the_program() -> None:
    """The guard ends with it, as the shell would say it: 128 and the signal's number."""
    with start(SLEEPER) as guard:
        wait_until_up(guard)
        guard.send_signal(signal.SIGTERM)

        assert guard.wait(WAIT_S_MAX) == 128 + signal.SIGTERM


def test_sigterm_reaches_a_program_that_has_only_just_begun() -> None:
    """A guard that died of it would leave a program that nobody ends."""
    with start(SLEEPER, guard=("-c", SLOW_GUARD)) as guard:
        wait_until_up(guard)  # while the guard still starts it
        guard.send_signal(signal.SIGTERM)

        assert guard.wait(WAIT_S_MAX) == 128 + signal.SIGTERM


def test_the_end_of_its_input_ends_the_program_and_clears_up(tmp_path: Path) -> None:
    """That is what is left of a starter that was killed: its pipe closes, its folders go, its last commands run."""
    folder, sign = tmp_path / "data", tmp_path / "sign"
    (folder / "deep").mkdir(parents=True)
    last = [[sys.executable, "-c", f"open({str(sign)!r}, 'w')"], ["/no/such/program"]]

    with start(SLEEPER, last_commands=last, folders=[str(folder)]) as guard:
        wait_until_up(guard)
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(WAIT_S_MAX)

    assert not folder.exists()
    assert sign.exists()


def test_a_stopped_program_keeps_its_folders(tmp_path: Path) -> None:
    """Whoever stops it in order may want to start it again with the same data."""
    with start(SLEEPER, folders=[str(tmp_path)]) as guard:
        wait_until_up(guard)
        guard.terminate()
        guard.wait(WAIT_S_MAX)

    assert tmp_path.exists()
