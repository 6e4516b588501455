"""Worker processes: started, killed, stopped, paused and woken; how each of them ended is held against why."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

EXTRA_S = 10.0  # beyond the drain: the contract's bound of a SIGTERM
READY_LINE = b"partitions assigned"
LOG_LINES_SHOWN = 15

State = Literal["running", "paused", "killed", "stopping", "ended"]


@dataclass(slots=True, kw_only=True, eq=False)
class Worker:
    """One process."""

    number: int
    process: "subprocess.Popen[bytes]"
    log: Path
    state: State = "running"
    told_at: float = 0.0

    @property
    def has_worked(self) -> bool:
        """Whether it has been assigned partitions, so that it handles signals by now."""
        return READY_LINE in self.log.read_bytes()

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])


@dataclass(slots=True, kw_only=True)
class Fleet:
    """All workers ever started, with `environment` added to ours; `sweep` finds what ended otherwise than it should."""

    environment: Mapping[str, str]
    folder: Path
    drain_s: float
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    slowest_stop_s: float = 0.0
    workers: list[Worker] = field(default_factory=list)

    def start(self, command: Sequence[str] = ("streams", "worker")) -> Worker:
        """Start one more, or a module that acts as one."""
        number = len(self.workers)
        log = self.folder / f"worker-{number}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.environment},
            )
        self.workers.append(Worker(number=number, process=process, log=log))
        self.counts["starts"] += 1
        return self.workers[-1]

    @property
    def running(self) -> list[Worker]:
        """Those that should be at work."""
        return [worker for worker in self.workers if worker.state == "running"]

    @property
    def paused(self) -> list[Worker]:
        """Those that a SIGSTOP holds."""
        return [worker for worker in self.workers if worker.state == "paused"]

    def kill(self, worker: Worker) -> None:
        """End it as a power cut would."""
        self._tell(worker, signal.SIGKILL, "killed")
        self.counts["kills"] += 1
        worker.process.wait()

    def terminate(self, worker: Worker) -> None:
        """Ask it to end."""
        self._tell(worker, signal.SIGTERM, "stopping")
        self.counts["stops"] += 1

    def pause(self, worker: Worker) -> None:
        """Freeze it where it is."""
        self._tell(worker, signal.SIGSTOP, "paused")
        self.counts["pauses"] += 1

    def wake(self, worker: Worker) -> None:
        """Let it go on, not knowing that it was away."""
        self._tell(worker, signal.SIGCONT, "running")

    def _tell(self, worker: Worker, signum: signal.Signals, state: State) -> None:
        self.sweep()
        if worker.state == "ended":
            return
        worker.process.send_signal(signum)
        self.told.append(f"{datetime.now(UTC):%H:%M:%S.%f} {signum.name} worker {worker.number}")
        worker.state, worker.told_at = state, time.monotonic()

    def sweep(self) -> None:
        """Note every end, and every end that is overdue."""
        for worker in self.workers:
            if worker.state != "ended":
                self._look_at(worker)

    def _look_at(self, worker: Worker) -> None:
        code = worker.process.poll()
        took_s = time.monotonic() - worker.told_at
        if code is None:
            if worker.state == "stopping" and took_s > self.drain_s + EXTRA_S:
                self._blame(worker, f"still runs {took_s:.1f} s after SIGTERM")
                worker.process.kill()
                worker.process.wait()
                worker.state = "ended"
            return
        if worker.state == "stopping":
            self.slowest_stop_s = max(self.slowest_stop_s, took_s)
        expected = {"killed": -signal.SIGKILL, "stopping": 0}.get(worker.state)
        if code != expected:
            self._blame(worker, f"ended with {code} while {worker.state}")
        worker.state = "ended"

    def _blame(self, worker: Worker, what: str) -> None:
        self.violations.append(f"worker {worker.number} {what}; the end of its log:\n{worker.last_words}")

    def close(self) -> None:
        """Stop all in order, and wait until each has ended or is overdue."""
        for worker in self.paused:
            self.wake(worker)
        for worker in self.running:
            self.terminate(worker)
        while any(worker.state != "ended" for worker in self.workers):
            self.sweep()
            time.sleep(0.05)

    def abandon(self) -> None:
        """Leave no process behind, whatever happened."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()
