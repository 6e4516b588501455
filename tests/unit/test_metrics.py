"""The page that Prometheus reads: names, labels and what is counted."""

from collections import Counter
from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.answer import Answer, NoAnswer
from schemas.conclusion import Conclusion
from schemas.outcome import Outcome, Reason
from streams.metrics.collectors import END_TO_END_S
from streams.metrics.declared import LAG, OF_PROCESS
from streams.metrics.observers import Metrics
from tests.builders import make_chunk
from tests.unit.input_records import TIMESTAMP_MS, InputRecord


def values(metrics: Metrics) -> Mapping[tuple[str, tuple[str, ...]], float]:
    """Every sample of the page by name and values of its labels, those in the order of their names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.page().decode())
        for sample in family.samples
    }


def conclude(metrics: Metrics, *conclusions: tuple[Outcome, Reason | None, int]) -> None:
    """Conclude a chunk of records with these outcomes, each so many milliseconds after its Kafka timestamp."""
    record = InputRecord()
    for outcome, reason, late_ms in conclusions:
        counts: Counter[tuple[Outcome, Reason | None]] = Counter({(outcome, reason): 1})
        metrics.concluded(make_chunk([record]), counts, [Conclusion(record, outcome, reason)], TIMESTAMP_MS + late_ms)


def test_every_name_starts_with_cio() -> None:
    """The process's own figures included, so that one rule finds all of a worker's."""
    families = [family.name for family in text_string_to_metric_families(Metrics().page().decode())]
    declared = {each.name for metrics in OF_PROCESS.values() for each in metrics}

    assert [name for name in [*families, *declared] if not name.startswith("cio_")] == []


def test_two_workers_in_one_process_share_nothing() -> None:
    """Each has a registry of its own."""
    one, other = Metrics(), Metrics()
    one.retry("track", "timeout")

    assert ("cio_retries_total", ("track", "timeout")) in values(one)
    assert ("cio_retries_total", ("track", "timeout")) not in values(other)


def test_records_count_by_topic_outcome_and_reason() -> None:
    """And the dead ones once more, as letters."""
    metrics = Metrics()
    conclude(metrics, ("delivered", None, 0), ("delivered", None, 0), ("dead", "malformed", 0))
    found = values(metrics)

    assert found["cio_records_total", ("delivered", "", "user-changes")] == 2
    assert found["cio_records_total", ("dead", "malformed", "user-changes")] == 1
    assert found["cio_dead_letters_total", ("malformed", "user-changes")] == 1
    assert found["cio_chunk_records_count", ()] == 3


@pytest.mark.parametrize(
    ("late_ms", "bucket"), [(-5, "0.05"), (50, "0.05"), (51, "0.1"), (3_600_000, "3600.0"), (9_999_999, "+Inf")]
)
def test_end_to_end_is_a_true_histogram(late_ms: int, bucket: str) -> None:
    """An observation counts in its bucket and all above; a clock behind Kafka's counts as no time."""
    metrics = Metrics()
    conclude(metrics, ("delivered", None, late_ms))
    found = values(metrics)
    buckets = [*map(str, END_TO_END_S), "+Inf"]
    counts = [found["cio_end_to_end_seconds_bucket", (each, "user-changes")] for each in buckets]

    assert counts == [0] * buckets.index(bucket) + [1] * (len(buckets) - buckets.index(bucket))
    assert found["cio_end_to_end_seconds_count", ("user-changes",)] == 1
    assert found["cio_end_to_end_seconds_sum", ("user-changes",)] == max(0, late_ms) / 1000


def test_requests_count_by_status_or_cause() -> None:
    """With their seconds, items and bytes."""
    metrics = Metrics()
    metrics.request("track", Answer(207, b""), seconds=0.2, items=3, body_bytes=900)
    metrics.request("track", NoAnswer("timeout"), seconds=10, items=2, body_bytes=100)
    found = values(metrics)

    requests = {status: found["cio_requests_total", ("track", status)] for status in ("207", "timeout")}

    assert requests == {"207": 1, "timeout": 1}
    assert found["cio_request_seconds_sum", ("track",)] == pytest.approx(10.2)
    assert (found["cio_batch_items_sum", ()], found["cio_batch_bytes_sum", ()]) == (5, 1000)


def test_transactions_count_their_chunks() -> None:
    """Both figures tell how much is shared."""
    metrics = Metrics()
    metrics.transaction(3, 0.5)
    found = values(metrics)

    assert (found["cio_transaction_chunks_total", ()], found["cio_transaction_seconds_count", ()]) == (3, 1)


def test_lanes_that_are_stuck_count() -> None:
    """All that were found at once."""
    metrics = Metrics()
    metrics.stuck(3)

    assert values(metrics)["cio_stuck_lanes_total", ()] == 3


def test_a_live_gauge_is_read_when_somebody_looks() -> None:
    """Not before, and every time anew."""
    metrics, readings = Metrics(), iter([1.0, 2.0])
    metrics.live(LAG, lambda: [(("t", "0"), next(readings, 9.0))])
    first, second = values(metrics), values(metrics)

    assert second["cio_lag_records", ("0", "t")] == first["cio_lag_records", ("0", "t")] + 1
