"""What results say of their sources, and what is no result."""

from collections import Counter
from typing import Any

import orjson
import pytest

from streams.audit.results import Strays, Verdict, by_topic


def value(**changes: Any) -> bytes:  # noqa: ANN401 - any JSON
    """A result as a worker writes it, as far as it is looked at."""
    source = {"topic": "t.events", "partition": 1, "offset": 7, "timestamp_ms": 1} | changes.pop("source", {})
    return orjson.dumps({"outcome": "delivered", "source": source, "processed_at": "10:00"} | changes)


def test_results_are_sorted_by_topic_in_their_order() -> None:
    """Nothing else of them is kept."""
    strays = Strays()
    values = [value(), value(source={"topic": "t.changes"}), value(source={"offset": 8}, outcome="dead")]

    assert {
        "t.events": [
            Verdict("t.events", 1, 7, "delivered", "10:00"),
            Verdict("t.events", 1, 8, "dead", "10:00"),
        ],
        "t.changes": [Verdict("t.changes", 1, 7, "delivered", "10:00")],
    } == by_topic(values, 1, strays)
    assert Strays() == strays


@pytest.mark.parametrize(
    "bad",
    [
        None,
        b"",
        b"not json",
        b"[]",
        b"7",
        b"{}",
        value(source={"offset": "7"}),
        value(source={"offset": -1}),
        value(source={"offset": True}),
        value(source={"partition": None}),
        value(outcome=None),
        orjson.dumps({"outcome": "delivered", "source": "here"}),
    ],
)
def test_what_is_no_result_is_counted_and_harms_no_other(bad: bytes | None) -> None:
    """Whoever wrote it."""
    strays = Strays()

    assert 2 == len(by_topic([value(), bad, value()], 1, strays)["t.events"])
    assert Strays(unreadable=1) == strays


def test_a_result_on_another_partition_is_counted_apart() -> None:
    """Nobody would look for it there."""
    strays = Strays()

    assert {} == by_topic([value(source={"partition": 2})], 1, strays)
    assert Strays(misplaced=Counter(["t.events"])) == strays
