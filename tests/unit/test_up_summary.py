"""The few figures that `up` shows, from a worker's metrics page."""

import pytest

from streams.up.summary import RATE_WINDOW_S, Meter, Summary

PAGE = """\
# HELP cio_records_total Input records concluded.
# TYPE cio_records_total counter
cio_records_total{outcome="delivered",reason="",topic="user-changes"} 40.0
cio_records_total{outcome="delivered",reason="",topic="domain-events"} 20.0
cio_records_total{outcome="duplicate",reason="fingerprint",topic="user-changes"} 5.0
cio_records_total{outcome="superseded",reason="older_version",topic="user-changes"} 4.0
cio_records_total{outcome="skipped",reason="user_deleted",topic="domain-events"} 3.0
cio_records_total{outcome="dead",reason="malformed",topic="user-changes"} 2.0
# TYPE cio_records_created gauge
cio_records_created{outcome="dead",reason="malformed",topic="user-changes"} 1.7e9
# TYPE cio_lag_records gauge
cio_lag_records{partition="0",topic="user-changes"} 7.0
cio_lag_records{partition="1",topic="user-changes"} 1.0
"""


def make_page(delivered: int) -> str:
    """Build a page with nothing but this many delivered records."""
    return (
        f'# TYPE cio_records_total counter\ncio_records_total{{outcome="delivered",reason="",topic="t"}} {delivered}\n'
    )


def test_outcomes_are_added_over_topics_and_reasons() -> None:
    """What came in is what has a result, and what is still waiting for one."""
    summary = Meter().read(PAGE, now_s=0)

    assert summary == Summary(delivered=60, duplicate=5, superseded=4, skipped=3, dead=2, lag=8)
    assert summary.concluded == 74
    assert summary.records_in == 82


def test_webhooks_are_counted_by_what_was_taken() -> None:
    """Whatever was not answered with 200 comes again, or was never ours; without a receiver there is no figure."""
    page = """\
# TYPE cio_webhook_requests_total counter
cio_webhook_requests_total{status="200"} 1200.0
cio_webhook_requests_total{status="503"} 7.0
"""

    assert Meter().read(PAGE, page, now_s=0).figures()["webhooks"] == "1,200"
    assert Meter().read(PAGE, "", now_s=0).figures()["webhooks"] == "0"
    assert "webhooks" not in Meter().read(PAGE, now_s=0).figures()


def test_a_worker_that_has_done_nothing_shows_zeros() -> None:
    """Its page has no samples of records yet."""
    assert Meter().read("", now_s=0) == Summary()


def test_the_rate_is_that_of_the_time_between_readings() -> None:
    """One reading tells none."""
    meter = Meter()

    rates = [meter.read(make_page(count), now_s=now_s).per_s for now_s, count in [(0, 1000), (2, 1100), (4, 1160)]]

    assert rates == [0, 50, 40]


def test_the_rate_forgets_what_is_long_ago() -> None:
    """An hour at full speed does not hide that nothing has moved since."""
    meter = Meter()
    meter.read(make_page(0), now_s=0)
    meter.read(make_page(100_000), now_s=1)
    meter.read(make_page(100_000), now_s=1 + RATE_WINDOW_S)

    assert meter.read(make_page(100_000), now_s=2 + RATE_WINDOW_S).per_s == 0


def test_the_memory_of_a_meter_is_bounded() -> None:
    """It is read every second for as long as somebody leaves it running."""
    meter = Meter()
    for second in range(1000):
        meter.read(make_page(second), now_s=second)

    assert len(meter._readings) <= RATE_WINDOW_S + 2


@pytest.mark.parametrize("name", ["in", "delivered", "duplicate", "superseded", "skipped", "dead", "lag", "records/s"])
def test_every_figure_has_a_name(name: str) -> None:
    """What an outcome is called in the results, it is called here."""
    assert name in Summary().figures()


def test_figures_are_written_for_people() -> None:
    """Thousands are set apart."""
    assert Summary(delivered=12_345, per_s=1234.56).figures()["records/s"] == "1,234.6"
    assert Summary(delivered=12_345).figures()["in"] == "12,345"
