"""What happened in a run, in the order and at the virtual times at which it did; keeps, and judges nothing."""

import asyncio
import hashlib
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog

from tests.simulation.loop import PROCESS


class Line(NamedTuple):
    """One thing that happened; `is_plot` when it was done to the fleet, not by it."""

    at_s: float
    text: str
    is_plot: bool

    def __str__(self) -> str:
        """As it is shown."""
        return f"{self.at_s:10.3f}  {self.text}"


@dataclass(slots=True)
class Story:
    """`begins_s` is the loop's time at which the run begins."""

    begins_s: float
    lines: list[Line] = field(default_factory=list)

    def now_s(self) -> float:
        """Seconds since the run began."""
        return asyncio.get_running_loop().time() - self.begins_s

    def tell(self, text: str) -> None:
        """Something was done to the fleet."""
        self.lines.append(Line(self.now_s(), text, is_plot=True))

    def note(self, text: str) -> None:
        """Something was done by the fleet."""
        self.lines.append(Line(self.now_s(), text, is_plot=False))

    def plot(self) -> Iterator[Line]:
        """What somebody needs to know who has no time."""
        return (line for line in self.lines if line.is_plot)

    def digest(self) -> str:
        """The same for two runs that went the same way."""
        return hashlib.sha256("\n".join(map(str, self.lines)).encode()).hexdigest()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note what the fleet logs instead of printing it."""
        before = structlog.get_config()
        structlog.configure(processors=[self._hear], cache_logger_on_first_use=False)
        try:
            yield
        finally:
            structlog.configure(**before)

    def _hear(self, _logger: object, level: str, event: MutableMapping[str, Any]) -> str:
        process = PROCESS.get()
        text = " ".join(f"{name}={value}" for name, value in event.items() if name != "event")
        self.note(f"{process.name if process else 'outside'} {level}: {event['event']} {text}".rstrip())
        raise structlog.DropEvent
