"""Says findings as data for programs, as a table and lines for people, and in one line where they are bad."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

from rich import box
from rich.table import Table

from schemas.outcome import Outcome
from streams.audit.findings import Counts, Findings, Violation
from streams.plural import so_many

SHOWN_MAX: Final = 20
OUTCOMES: Final[tuple[str, ...]] = get_args(Outcome)


def as_data(findings: Findings) -> dict[str, Any]:
    """Everything, with names that stay."""
    return {
        "ok": findings.is_proven,
        **_counts(findings.total),
        "unreadable_results": findings.unreadable,
        "misplaced_results": findings.misplaced,
        "open_letters": findings.letters_open,
        "parked_letters": findings.letters_parked,
        "topics": {topic: _counts(counts) for topic, counts in findings.topics.items()},
        "violations": [_violation(each) for each in findings.violations],
    }


def as_table(findings: Findings) -> Table:
    """A row for each topic, a column for each number that is not 0 everywhere."""
    total = findings.total
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("topic")
    columns = [name for name, number in _columns(total).items() if number or name in {"inputs", "missing", "several"}]
    for name in columns:
        table.add_column(name, justify="right")
    for topic, counts in [*findings.topics.items(), ("all", total)]:
        if topic == "all":
            table.add_section()
        numbers = _columns(counts)
        table.add_row(topic, *(f"{numbers[name]:,}" for name in columns))
    return table


def as_lines(findings: Findings) -> Iterator[str]:
    """What the table does not say."""
    total = findings.total
    for kind, count in (("missing", total.missing), ("several", total.several), ("unfounded", total.unfounded)):
        yield from _listed(kind, count, [each for each in findings.violations if each.kind == kind])
    if total.unprovable:
        yield so_many(
            total.unprovable,
            "record is older than the oldest results left: its own may have been deleted",
            "records are older than the oldest results left: theirs may have been deleted",
        )
    if total.gone:
        yield so_many(total.gone, "result is of a record that is gone", "results are of records that are gone")
    if findings.unreadable:
        yield _unreadable(findings.unreadable)
    if findings.misplaced:
        yield _misplaced(findings.misplaced)
    parked = f", parked: {findings.letters_parked:,}" if findings.letters_parked else ""
    yield f"dead letters still open: {findings.letters_open:,}{parked}"


def as_complaint(findings: Findings) -> str:
    """What is wrong, in one line."""
    total = findings.total
    faults = []
    if total.missing:
        faults.append(
            f"{total.missing:,} of {so_many(total.inputs, 'record')}"
            f" {'has' if total.missing == 1 else 'have'} no result"
            f" ({total.beyond_committed:,} of them no worker has come to yet)"
        )
    if total.several:
        faults.append(so_many(total.several, "has more than one result", "have more than one result"))
    if total.unfounded:
        faults.append(_unfounded(total.unfounded))
    if findings.misplaced:
        faults.append(_misplaced(findings.misplaced))
    if findings.unreadable:
        faults.append(_unreadable(findings.unreadable))
    return "; ".join(faults)


def _unreadable(count: int) -> str:
    return so_many(count, "record on the results topic is no result", "records on the results topic are no results")


def _unfounded(count: int) -> str:
    return so_many(
        count,
        "offset has a result and no record: it was rolled back, or never there",
        "offsets have a result and no record: it was rolled back, or never there",
    )


def _misplaced(count: int) -> str:
    return so_many(
        count,
        "result lies on another partition than its record",
        "results lie on another partition than their record",
    )


def _listed(kind: str, count: int, violations: Sequence[Violation]) -> Iterator[str]:
    if not count:
        return
    yield f"{kind}:"
    for each in violations[:SHOWN_MAX]:
        remark = (
            f"  {so_many(each.results, 'result')}" if each.results else "  not yet worked on" * each.is_beyond_committed
        )
        yield f"  {each}{remark}"
    if count > SHOWN_MAX:
        yield f"  and {count - min(SHOWN_MAX, len(violations)):,} more"


def _columns(counts: Counts) -> dict[str, int]:
    return {
        "inputs": counts.inputs,
        **_outcomes(counts),
        "missing": counts.missing,
        "not yet": counts.beyond_committed,
        "several": counts.several,
        "unfounded": counts.unfounded,
        "unprovable": counts.unprovable,
    }


def _outcomes(counts: Counts) -> dict[str, int]:
    """All that there are, and any that a newer worker has written."""
    return {outcome: counts.outcomes[outcome] for outcome in dict.fromkeys([*OUTCOMES, *sorted(counts.outcomes)])}


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "inputs": counts.inputs,
        "results": counts.results,
        "outcomes": _outcomes(counts),
        "missing": counts.missing,
        "missing_beyond_committed": counts.beyond_committed,
        "several": counts.several,
        "unprovable": counts.unprovable,
        "results_without_input": counts.gone,
        "unfounded_results": counts.unfounded,
    }


def _violation(violation: Violation) -> dict[str, Any]:
    return {
        "kind": violation.kind,
        "topic": violation.topic,
        "partition": violation.partition,
        "offset": violation.offset,
        "results": violation.results,
        "beyond_committed": violation.is_beyond_committed,
    }
