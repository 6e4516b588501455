"""Whatever lies on the topics can be loaded: no bytes stop a loader, and each record is one row."""

from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.warehouse.duckdb_file import opened
from streams.warehouse.duckdb_warehouse import DuckDbWarehouse
from tests.warehouse_world import place, result_batch, webhook_batch, webhook_body

KEYS: Final = (
    "SELECT 'webhooks_raw', row_key FROM webhooks_raw UNION ALL SELECT 'results_raw', row_key FROM results_raw"
)
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS: Final = st.sampled_from(["campaign_id", "machine", "failure_message", "identifiers", "newest", "href"])
VALUES: Final = (
    st.none()
    | st.binary(max_size=30)
    | st.builds(
        lambda event_id, metric, data: webhook_body(event_id, metric, **data),
        st.text(max_size=10),
        st.text(max_size=10),
        st.dictionaries(FIELDS, JSON, max_size=3),
    )
)
_numbers = count()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a warehouse's file."""
    path = tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb"
    warehouse = DuckDbWarehouse(path)
    warehouse.prepare()
    yield path
    warehouse.close()


def counted(path: Path) -> Counter[tuple[str, str]]:
    """How many rows each table has of each key."""
    with opened(path, read_only=True) as connection:
        return Counter((table, key) for table, key in connection.execute(KEYS).fetchall())


@given(values=st.lists(VALUES, min_size=1, max_size=5))
@settings(max_examples=40)
def test_whatever_a_value_is_it_is_loaded(path: Path, values: list[bytes | None]) -> None:
    """As a webhook and as a result; once, also where another one says the same."""
    at = place(next(_numbers))
    batches = [webhook_batch(values, at=at), result_batch(values, at=at._replace(topic="results"))]
    DuckDbWarehouse(path).append(batches)

    there = counted(path)
    assert {1} == {there[batch.table.name, str(row[0])] for batch in batches for row in batch.rows}
