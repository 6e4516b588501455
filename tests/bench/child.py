"""A process of the benchmark's own: started with a log file, measured from outside, ended in any case."""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import psutil

from tests.bench.errors import BenchError

CHECKOUT: Final = Path(__file__).parents[2]
STOP_S_MAX: Final = 20.0  # a worker's drain and what the contract adds to it
POLL_S: Final = 0.02
LINES_SHOWN: Final = 12
MEGABYTE: Final = 1024 * 1024


class Child:
    """`python …` in the checkout, with `environment` alone; `name` is that of its log file in `folder`."""

    def __init__(self, name: str, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        self.started_at = time.monotonic()
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=CHECKOUT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # the terminal's Ctrl-C is for us, who then end it in order
            )
        self.measured = psutil.Process(self._process.pid)

    def wait_for_line(self, pattern: str, *, seconds: float) -> str:
        """Return the first group of the first place in its log that matches `pattern`."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self._log.read_text(errors="replace"))):
            self.insist_on_life()
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name} said nothing like {pattern!r} in {seconds:.0f} s; {self._last_words()}")
            time.sleep(POLL_S)
        return found[1]

    def insist_on_life(self) -> None:
        """Raise a `BenchError` if it has ended."""
        code = self._process.poll()
        if code is not None:
            raise BenchError(f"{self.name} ended with {code}; {self._last_words()}")

    def peak_mb(self) -> float:
        """The most memory that it has had; where the system does not say, what it has now."""
        return peak_memory_mb(self.measured)

    def ask_to_end(self) -> None:
        """Send it a SIGTERM, and do not wait."""
        if self._process.poll() is None:
            self._process.terminate()

    def end(self) -> None:
        """Ask it to end, and insist after a while."""
        self.ask_to_end()
        if self._process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S_MAX)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return "the end of its log:\n" + "\n".join(lines[-LINES_SHOWN:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def peak_memory_mb(process: psutil.Process) -> float:
    """The most memory that a process has had; where the system does not say, what it has now."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    resident: int = process.memory_info().rss
    return resident / MEGABYTE
