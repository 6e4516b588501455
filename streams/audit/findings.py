"""What an audit has found, as numbers and a bounded list; it knows neither Kafka nor the terminal."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

LISTED_MAX: Final = 1_000

ViolationKind: TypeAlias = Literal["missing", "several", "unfounded"]


class Violation(NamedTuple):
    """An offset (the topic's name is the full one) with no result, or with `results` of them, too many or of nothing.

    `is_beyond_committed`: no worker has come to it yet, as far as the group's committed offset tells.
    """

    kind: ViolationKind
    topic: str
    partition: int
    offset: int
    results: int
    is_beyond_committed: bool = False

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(slots=True, kw_only=True)
class Counts:
    """Of one topic, or of all.

    Attributes:
        inputs: records that are there.
        results: their results, and those of records that are gone.
        missing: records without result; `beyond_committed` of them lie beyond what the group has committed.
        several: offsets with more than one result.
        unprovable: records without result that are older than the oldest results left: it may have been deleted.
        gone: offsets with a result whose record is gone.
        unfounded: offsets with a result where no record was ever committed.
    """

    inputs: int = 0
    results: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    beyond_committed: int = 0
    several: int = 0
    unprovable: int = 0
    gone: int = 0
    unfounded: int = 0

    def add(self, more: "Counts") -> None:
        """Add another's numbers."""
        self.inputs += more.inputs
        self.results += more.results
        self.outcomes += more.outcomes
        self.missing += more.missing
        self.beyond_committed += more.beyond_committed
        self.several += more.several
        self.unprovable += more.unprovable
        self.gone += more.gone
        self.unfounded += more.unfounded


@dataclass(slots=True, kw_only=True)
class Findings:
    """Counts by topic (full name), the violations as far as they are listed, and what else was seen.

    Attributes:
        unreadable: records on the results topic that are no results.
        misplaced: results on another partition than their record's: second ones, or its only one where none is read.
        letters_open: dead letters on which nothing was decided; `letters_parked` were replayed too often.
    """

    topics: dict[str, Counts]
    violations: list[Violation] = field(default_factory=list)
    unreadable: int = 0
    misplaced: int = 0
    letters_open: int = 0
    letters_parked: int = 0
    _listed: Counter[ViolationKind] = field(default_factory=Counter)

    @property
    def total(self) -> Counts:
        """Of all topics."""
        total = Counts()
        for counts in self.topics.values():
            total.add(counts)
        return total

    @property
    def is_proven(self) -> bool:
        """Whether no record has another number of results than one, and no result is of none, as far as can be proven.

        What is on the results topic and cannot be read, or is where nobody looks for it, may be another one's second.
        """
        total = self.total
        return not (total.missing or total.several or total.unfounded or self.unreadable or self.misplaced)

    def list_some(self, violations: Iterable[Violation]) -> None:
        """Keep of these, which are all of one kind, what there is room for."""
        for violation in violations:
            if self._listed[violation.kind] >= LISTED_MAX:
                return
            self._listed[violation.kind] += 1
            self.violations.append(violation)
