"""The processes that `up` starts beside itself."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from streams.up.child import LAST_LINES, Child

Run = Callable[[str], Child]
WAIT_S_MAX = 20.0


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Give a function that runs some Python as a child."""
    children: list[Child] = []

    def run_one(code: str) -> Child:
        child = Child("part", [sys.executable, "-c", code], log=tmp_path / "part.log")
        children.append(child)
        return child

    yield run_one
    for child in children:
        child.stop(0)


def wait_for(child: Child, text: str) -> None:
    """Wait until it has written a line."""
    guard = psutil.Process(child._process.pid)
    while text not in child.log.read_text():
        assert guard.is_running()


def test_how_it_ended_is_known(run: Run) -> None:
    """While it runs, nothing is."""
    child = run("import sys; print('up', flush=True); sys.stdin.read(); sys.exit(7)")
    child._process.wait(WAIT_S_MAX)

    assert child.exit_code == 7


def test_the_end_of_its_output_is_kept(run: Run) -> None:
    """Both streams go to the file; a person wants the last lines."""
    child = run("import sys\nfor n in range(100): print(n)\nsys.stdout.flush(); print('oh', file=sys.stderr)")
    child._process.wait(WAIT_S_MAX)

    lines = child.last_lines()
    assert len(lines) == LAST_LINES
    assert lines[-2:] == ["99", "oh"]


def test_one_may_be_asked_to_end_before_it_is_waited_for(run: Run) -> None:
    """Once: a second signal would cut its end short."""
    code = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))"
    child = run(f"{code}; print('up', flush=True); time.sleep(60)")
    wait_for(child, "up")
    child.ask_to_end()
    wait_for(child, "asked")
    child.stop(0.3)

    assert child.log.read_text().count("asked") == 1


def test_one_that_stops_when_asked_is_not_killed(run: Run) -> None:
    """It has its time to end in order."""
    code = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(0)))"
    child = run(f"{code}; print('up', flush=True); time.sleep(60)")
    wait_for(child, "up")

    child.stop(WAIT_S_MAX)

    assert child.exit_code == 0
    assert child.last_lines() == ["up", "bye"]


def test_one_that_does_not_stop_is_killed_with_all_of_its_own(run: Run) -> None:
    """Nothing of its session is left, its guard included."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    child = run(code)
    wait_for(child, "up")
    guard = psutil.Process(child._process.pid)
    family = [guard, *guard.children(recursive=True)]

    child.stop(0.1)

    gone, alive = psutil.wait_procs(family, timeout=WAIT_S_MAX)
    assert len(gone) == 2
    assert alive == []


def test_it_does_not_share_our_session(run: Run) -> None:
    """The terminal's Ctrl-C reaches `up` only."""
    child = run("import os; print(os.getsid(0))")
    child._process.wait(WAIT_S_MAX)

    assert child.last_lines() == [str(child._process.pid)]


def test_one_that_ended_may_be_started_again(tmp_path: Path) -> None:
    """So often as is said, and not when it was asked to end."""
    child = Child("part", [sys.executable, "-c", "print('up')"], log=tmp_path / "part.log", restarts=2)
    again = []
    for _ in range(3):
        child._process.wait(WAIT_S_MAX)
        again.append(child.start_again())
    child.stop(0)

    assert [True, True, False] == again
    assert ["up"] * 3 == child.last_lines()


def test_one_that_was_asked_to_end_is_not_started_again(tmp_path: Path) -> None:
    """Its end is what was wanted."""
    child = Child("part", [sys.executable, "-c", "print('up')"], log=tmp_path / "part.log", restarts=2)
    child.stop(WAIT_S_MAX)

    assert not child.start_again()
