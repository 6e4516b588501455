"""Figures as text for a person and as plain data for a program; nothing is measured here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

NAME_WIDTH: Final = 56
VALUE_WIDTH: Final = 12

Name = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a figure should be."""

    sense: Literal["at least", "at most"]
    bound: float

    def is_reached(self, value: float) -> bool:
        """Whether `value` is on the right side."""
        return value >= self.bound if self.sense == "at least" else value <= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number; None is one that could not be seen from here."""

    name: Name
    value: float | None
    digits: int = 0
    goal: Goal | None = None

    def line(self) -> str:
        """As a person reads it."""
        shown = "not seen" if self.value is None else f"{self.value:,.{self.digits}f}"
        return f"  {self.name:<{NAME_WIDTH}}{shown:>{VALUE_WIDTH}}{self._verdict()}".rstrip()

    def _verdict(self) -> str:
        if self.goal is None or self.value is None:
            return ""
        reached = "reached" if self.goal.is_reached(self.value) else "MISSED"
        return f"   goal {self.goal.sense} {self.goal.bound:,g}: {reached}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one part measured, and how."""

    part: str
    how: str
    figures: tuple[Figure, ...]

    def value(self, name: Name) -> float | None:
        """The figure of that name, None where there is none."""
        return next((figure.value for figure in self.figures if figure.name == name), None)

    def text(self) -> str:
        """A short table."""
        return "\n".join([f"{self.part}: {self.how}", *(figure.line() for figure in self.figures)])

    def data(self) -> dict[str, object]:
        """The same without form."""
        return {"part": self.part, "how": self.how, "figures": {figure.name: figure.value for figure in self.figures}}


def at_least(bound: float) -> Goal:
    """Give the goal of what should be high."""
    return Goal(sense="at least", bound=bound)


def at_most(bound: float) -> Goal:
    """Give the goal of what should be low."""
    return Goal(sense="at most", bound=bound)


def summary(machine: str, reports: Iterable[Report]) -> str:
    """Everything once more, to be pasted into a note."""
    return "\n\n".join([machine, *(report.text() for report in reports)])


def per_1000(amount: float | None, records: float) -> float | None:
    """Give the amount for each 1,000 records."""
    return None if amount is None else amount * 1000 / records
