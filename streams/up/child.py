"""A process that `up` runs beside itself: in a session of its own, its output in a file, never outliving `up`."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from schemas.errors import UnavailableError
from streams.local_kafka import process_guard

LAST_LINES: Final = 15


class ChildFailedError(UnavailableError):
    """A child ended by itself, or does not do what it is there for; its log is worth reading."""


class Child:
    """One command under a guard that ends it when `up` is gone, however `up` ended.

    Args:
        name: what a person calls it.
        log: the file for its output.
        restarts: how often it may be started again.
    """

    def __init__(self, name: str, command: Sequence[str], *, log: Path, restarts: int = 0) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._restarts_left = restarts
        self._is_asked = False
        self._process = self._start()

    def start_again(self) -> bool:
        """Start it once more after its end, or not: it has ended too often, or never may."""
        if self._is_asked or not self._restarts_left:
            return False
        self._restarts_left -= 1
        self._clear_away()
        self._process = self._start()
        return True

    @property
    def exit_code(self) -> int | None:
        """How it ended by itself, None while it runs."""
        return self._process.poll()

    def ask_to_end(self) -> None:
        """Let it begin to end, once: to some, a second signal means at once."""
        if not self._is_asked:
            self._is_asked = True
            self._process.terminate()

    def stop(self, patience_s: float) -> None:
        """Ask it to end, and end it after `patience_s`."""
        self.ask_to_end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience_s)
        self._clear_away()

    def last_lines(self) -> list[str]:
        """Give the end of its output."""
        return self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]

    def _start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "-I", process_guard.__file__, process_guard.spec(self._command)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # the terminal's Ctrl-C is for `up`, which then stops all in order
            )

    def _clear_away(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
