"""Waits until workers have concluded what was published, looking at them seldom enough not to be what is measured."""

import time
from dataclasses import dataclass
from typing import Final

from tests.bench.errors import BenchError
from tests.bench.stage import Moment, Stage

LOOK_S: Final = 0.25
STILL_S_MAX: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How many records were concluded at a moment."""

    concluded: int
    moment: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What happened between two looks."""

    begin: Look
    end: Look

    @property
    def records(self) -> int:
        """Records concluded."""
        return self.end.concluded - self.begin.concluded

    @property
    def seconds(self) -> float:
        """Seconds by the clock."""
        return self.end.moment.at_s - self.begin.moment.at_s

    @property
    def worker_cpu_s(self) -> float:
        """CPU seconds of all workers."""
        return self.end.moment.worker_s - self.begin.moment.worker_s

    @property
    def broker_cpu_s(self) -> float | None:
        """CPU seconds of the broker, None where it is not seen."""
        begin, end = self.begin.moment.broker_s, self.end.moment.broker_s
        return None if begin is None or end is None else end - begin

    @property
    def stub_cpu_s(self) -> float:
        """CPU seconds of the stub."""
        return self.end.moment.stub_s - self.begin.moment.stub_s

    @property
    def per_s(self) -> float:
        """Records per second by the clock."""
        return self.records / self.seconds

    @property
    def per_cpu_s(self) -> float:
        """Records per CPU second of the workers."""
        return self.records / max(0.01, self.worker_cpu_s)  # the system counts in hundredths


def look(stage: Stage) -> Look:
    """Look at all workers now."""
    return Look(concluded=sum(worker.concluded() for worker in stage.workers), moment=stage.now())


def follow(stage: Stage, *, total: int) -> Span:
    """Wait until all workers together have concluded `total`; from the first conclusion that was seen to the last.

    Raises:
        BenchError: a worker ended, or nothing moved for a long time.
    """
    first: Look | None = None
    moved_at, concluded = time.monotonic(), 0
    while True:
        seen = look(stage)
        if seen.concluded > concluded:
            moved_at, concluded = time.monotonic(), seen.concluded
            first = first or seen
        if first and seen.concluded >= total:
            return Span(begin=first, end=seen)
        if time.monotonic() - moved_at > STILL_S_MAX:
            raise BenchError(f"{concluded} of {total} records were concluded, then none for {STILL_S_MAX:.0f} s")
        time.sleep(LOOK_S)
