"""How findings are told: as data, as a table, as lines, and in one line where they are bad."""

from collections import Counter
from io import StringIO

from rich.console import Console

from streams.audit.findings import LISTED_MAX, Counts, Findings, Violation
from streams.audit.report import SHOWN_MAX, as_complaint, as_data, as_lines, as_table


def findings(*, missing: int = 0, several: int = 0) -> Findings:
    """Of two topics, one of them without a fault."""
    made = Findings(
        topics={
            "user-changes": Counts(
                inputs=1_000 + missing,
                results=1_000 + several,
                outcomes=Counter(delivered=1_000 + several),
                missing=missing,
                beyond_committed=min(missing, 2),
                several=several,
            ),
            "domain-events": Counts(inputs=1, results=1, outcomes=Counter(dead=1)),
        },
        letters_open=1,
    )
    made.list_some(Violation("missing", "p.user-changes", 3, offset, 0) for offset in range(missing))
    made.list_some(Violation("several", "p.user-changes", 3, offset, 2) for offset in range(several))
    return made


def shown(found: Findings) -> str:
    """The table as it is printed."""
    output = StringIO()
    Console(file=output, width=150).print(as_table(found))
    return output.getvalue()


def test_a_proof_names_its_numbers() -> None:
    """Columns that are 0 everywhere are left out, but not the two that matter."""
    proof = findings()
    header, _, first, *_ = (line.split() for line in shown(proof).splitlines() if line.strip())

    assert ["topic", "inputs", "delivered", "dead", "missing", "several"] == header
    assert ["user-changes", "1,000", "1,000", "0", "0", "0"] == first
    assert ["dead letters still open: 1"] == list(as_lines(proof))


def test_violations_are_listed_up_to_a_limit() -> None:
    """Each as a place that `why` takes; the rest is counted."""
    lines = list(as_lines(findings(missing=LISTED_MAX + 1, several=1)))

    assert "missing:" == lines[0]
    assert "  p.user-changes/3/0" == lines[1]
    assert f"  and {LISTED_MAX + 1 - SHOWN_MAX:,} more" == lines[SHOWN_MAX + 1]
    assert ["several:", "  p.user-changes/3/0  2 results"] == lines[SHOWN_MAX + 2 : SHOWN_MAX + 4]


def test_data_has_all_numbers_in_all_and_by_topic() -> None:
    """Every outcome is there, so that a program need not ask."""
    data = as_data(findings(missing=3, several=1))

    assert (False, 1_004, 3, 2, 1, 1) == tuple(
        data[name] for name in ("ok", "inputs", "missing", "missing_beyond_committed", "several", "open_letters")
    )
    assert {"delivered": 1_001, "duplicate": 0, "superseded": 0, "skipped": 0, "dead": 1} == data["outcomes"]
    assert {"user-changes": 3, "domain-events": 0} == {name: each["missing"] for name, each in data["topics"].items()}
    assert {
        "kind": "several",
        "topic": "p.user-changes",
        "partition": 3,
        "offset": 0,
        "results": 2,
        "beyond_committed": False,
    } == data["violations"][-1]


def test_a_complaint_is_one_line() -> None:
    """It tells what is lost from what is only waiting."""
    assert "3 of 1,004 records have no result (2 of them no worker has come to yet); 1 has more than one result" == (
        as_complaint(findings(missing=3, several=1))
    )
