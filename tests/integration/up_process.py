"""Runs `cio-streams up` as a person does, on a pipe or on a terminal, and keeps track of what it starts."""

import os
import pty
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

START_S_MAX = 150.0  # a first start downloads Kafka
STOP_S_MAX = 10.0
_UP = (sys.executable, "-m", "streams", "up")
# With a terminal of its own, as in a window: the keys pressed there reach it as signals.
_ON_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class UpProcess:
    """A running `cio-streams up`, what it has written so far, and every process that it has started.

    Args:
        environment: settings; those of the surrounding environment do not count.
        folder: for its temporary files.
    """

    def __init__(self, environment: dict[str, str], *, folder: Path, on_terminal: bool) -> None:
        self.folder = folder
        self.written = ""
        self._seen: dict[int, psutil.Process] = {}
        self._reading, writing = pty.openpty() if on_terminal else os.pipe()
        foreign = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "CUSTOMERIO_"))}
        look = {"TERM": "xterm", "COLUMNS": "120", "LINES": "40", "TMPDIR": str(folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ON_TERMINAL, *_UP] if on_terminal else _UP,
            stdin=writing if on_terminal else subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            start_new_session=on_terminal,
            env=foreign | look | environment,
        )
        os.close(writing)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it has written what matches, looking at its processes meanwhile."""
        deadline = time.monotonic() + START_S_MAX
        while (found := re.search(pattern, self.written)) is None:
            assert self.process.poll() is None, self.written
            assert time.monotonic() < deadline, self.written
            self._look()
            time.sleep(0.05)
        self._look()
        return found

    def press_ctrl_c(self) -> None:
        """Press it on the terminal."""
        os.write(self._reading, b"\x03")

    def wait_for_end(self) -> int:
        """Give its exit code, which must come in time."""
        deadline = time.monotonic() + STOP_S_MAX
        while (code := self.process.poll()) is None:
            assert time.monotonic() < deadline, f"did not stop: {self.written}"
            self._look()
            time.sleep(0.02)
        self._reader.join(STOP_S_MAX)
        return code

    def part(self, name: str) -> psutil.Process:
        """Give one of its processes by a word of its command line; guards, which have all in one word, do not count."""
        self._look()
        running = [each for each in self._seen.values() if each.is_running()]
        return next(each for each in running if name in each.cmdline())

    def left_behind(self) -> list[psutil.Process]:
        """Give what still runs; an ended one of which the system has not taken notice yet does not."""
        return [each for each in self._seen.values() if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]

    def files_left(self) -> list[str]:
        """Give the temporary files and folders of ours that are left."""
        return [path.name for path in self.folder.glob("cio-*")]

    def close(self) -> None:
        """End all of it, in case the test has failed."""
        self.process.kill()
        for process in self.left_behind():
            process.kill()
        self.process.wait()
        self._reader.join(STOP_S_MAX)
        os.close(self._reading)

    def _look(self) -> None:
        if self.process.poll() is None:
            children = psutil.Process(self.process.pid).children(recursive=True)
            self._seen |= {child.pid: child for child in children}

    def _read(self) -> None:
        while True:
            try:
                block = os.read(self._reading, 65_536)
            except OSError:  # so a terminal says that nobody writes to it any more
                return
            if not block:
                return
            self.written += block.decode(errors="replace")
