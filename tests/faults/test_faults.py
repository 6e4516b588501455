"""The fault test of one seed, small enough for every run of the suite; `make soak` runs it longer."""

import pytest

from tests.faults.run import Plan, run


@pytest.mark.timeout(240)
def test_every_record_survives_kills_stops_and_pauses(kafka: str) -> None:
    """Whatever dies, each record has one result, what must arrive arrives in order, and nothing counts twice."""
    report = run(Plan(), bootstrap=kafka)

    assert not report.violations, "\n".join(report.violations[:20])
    assert min(report.signals.values()) >= 2
