"""A worker as a process of its own, watched: what it logs, how much CPU it takes, how it ends."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import orjson
import psutil

from streams.settings import Settings

START_S: Final = 40.0
STOP_S: Final = 20.0
POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a worker took over some seconds: CPU as a share of one core, and the busiest kind of line, per second."""

    cpu: float
    lines_per_s: float
    busiest: str


class WorkerProcess:
    """`environment` is added to ours; the log goes to `log`; `command` is the module to run, and its arguments."""

    def __init__(
        self, environment: Mapping[str, str], log: Path, *, command: Sequence[str] = ("streams", "worker")
    ) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
            )
        self._meter = psutil.Process(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        self._process.kill()
        self._process.wait()

    @property
    def code(self) -> int | None:
        """How it ended, None while it runs."""
        return self._process.poll()

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged; a line that is not JSON is an event of its own."""
        return [_line(line) for line in self._log.read_bytes().splitlines()]

    def said(self, part: str) -> bool:
        """Whether some line has this in it."""
        return part.encode() in self._log.read_bytes()

    def lines_with(self, part: str) -> int:
        """How many lines have this in them."""
        return sum(part.encode() in line for line in self._log.read_bytes().splitlines())

    def wait_for(self, what: Callable[[], bool], seconds: float) -> float:
        """Wait until it is so; how long that took."""
        started = time.monotonic()
        while not what():
            assert time.monotonic() < started + seconds, f"not within {seconds} s; its log ends:\n{self.last_words}"
            time.sleep(POLL_S)
        return time.monotonic() - started

    def wait_until_it_says(self, part: str, seconds: float = START_S) -> float:
        """Wait until some line has this in it."""
        return self.wait_for(lambda: self.said(part), seconds)

    def load(self, seconds: float) -> Load:
        """Watch it for so long."""
        before, cpu, started = len(self.lines()), self._cpu_s(), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - started
        kinds = Counter(f"{line.get('logger')}: {line['event']}"[:60] for line in self.lines()[before:])
        busiest, count = next(iter(kinds.most_common(1)), ("", 0))
        return Load(cpu=(self._cpu_s() - cpu) / took, lines_per_s=count / took, busiest=busiest)

    def _cpu_s(self) -> float:
        times = self._meter.cpu_times()
        return times.user + times.system

    def send(self, signum: int) -> None:
        """Send it a signal."""
        self._process.send_signal(signum)

    def stop(self) -> int:
        """Ask it to end, as a supervisor would."""
        self._process.terminate()
        return self._process.wait(STOP_S)

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


def environment(settings: Settings, sandbox_url: str, **more: str) -> dict[str, str]:
    """What makes a worker work for these settings."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "APP_ID": settings.app_id,
        "TOPIC_PREFIX": settings.topic_prefix,
        "CUSTOMERIO_SITE_ID": "site",
        "CUSTOMERIO_TRACK_API_KEY": "key",
        "CUSTOMERIO_TRACK_URL": sandbox_url,
        "HTTP_PORT": "0",
        "LOG_FORMAT": "json",
        **more,
    }


def _line(line: bytes) -> dict[str, Any]:
    try:
        return dict(orjson.loads(line))
    except orjson.JSONDecodeError:
        return {"event": line.decode(errors="replace")}
