"""What every engine of the warehouse promises: one suite, a run for each.

An engine is a function in `ENGINES` that opens the same warehouse each time it is called within a test.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from streams.warehouse.bigquery.connect import connect
from streams.warehouse.bigquery.reader import BigQueryReader
from streams.warehouse.bigquery.warehouse import BigQueryWarehouse
from streams.warehouse.dialect import VIEWS
from streams.warehouse.duckdb_warehouse import DuckDbReader, DuckDbWarehouse
from streams.warehouse.port import Warehouse, WarehouseReader
from tests.fake_bigquery.world import bigquery_world
from tests.real_bigquery import IS_SET, patient, real_dataset
from tests.warehouse_world import place, result_batch, result_value, webhook_batch, webhook_body

LIMIT: Final = 1_000


class Engine(NamedTuple):
    """Opens the loader's side, and the readers' side, of one warehouse."""

    load: Callable[[], Warehouse]
    ask: Callable[[], WarehouseReader]


@contextmanager
def duckdb(folder: Path) -> Iterator[Engine]:
    """A file."""
    path = folder / "warehouse.duckdb"
    yield Engine(lambda: DuckDbWarehouse(path), lambda: DuckDbReader(path))


@contextmanager
def bigquery(_: Path) -> Iterator[Engine]:
    """Our own server, which speaks BigQuery's protocols."""
    with bigquery_world() as world:
        yield Engine(world.warehouse, world.reader)


@contextmanager
def real_bigquery(_: Path) -> Iterator[Engine]:
    """The real one."""
    with real_dataset() as dataset:
        yield Engine(
            lambda: BigQueryWarehouse(connect(dataset), sleep=patient), lambda: BigQueryReader(connect(dataset))
        )


ENGINES: Final[dict[str, Callable[[Path], AbstractContextManager[Engine]]]] = {
    "duckdb": duckdb,
    "bigquery": bigquery,
    **({"real-bigquery": real_bigquery} if IS_SET else {}),
}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Give each engine in turn, empty."""
    with ENGINES[request.param](tmp_path) as made:
        yield made


@pytest.fixture
def warehouse(engine: Engine) -> Iterator[Warehouse]:
    """Give its loader's side, prepared."""
    made = engine.load()
    made.prepare()
    yield made
    made.close()


def event_ids(engine: Engine, view: str = "webhooks") -> list[str]:
    """Those of all rows, in order."""
    reader = engine.ask()
    found = sorted(row["event_id"] for row in reader.read(view, limit=LIMIT))
    reader.close()
    return found


def bodies(*event_ids: str) -> list[bytes]:
    """A webhook for each."""
    return [webhook_body(event_id) for event_id in event_ids]


def test_nothing_is_loaded_at_first(engine: Engine, warehouse: Warehouse) -> None:
    """It is there, and empty."""
    assert ({}, []) == (warehouse.progress(), event_ids(engine))


def test_rows_and_progress_come_together(engine: Engine, warehouse: Warehouse) -> None:
    """Of several places and both tables at once."""
    results = result_batch([result_value(0)], 7)
    warehouse.append([webhook_batch(bodies("a", "b")), webhook_batch(bodies("c"), 40, at=place(1)), results])

    assert ["a", "b", "c"] == event_ids(engine)
    assert {place(): 2, place(1): 41, results.place: 8} == warehouse.progress()
    assert 1 == len(engine.ask().read("results", limit=LIMIT))


def test_a_batch_that_is_repeated_is_loaded_once(engine: Engine, warehouse: Warehouse) -> None:
    """In the raw table too: progress tells."""
    for _ in range(2):
        warehouse.append([webhook_batch(bodies("a", "b"))])

    assert ["a", "b"] == event_ids(engine, "webhooks_raw")
    assert {place(): 2} == warehouse.progress()


def test_of_a_batch_that_overlaps_the_rest_is_loaded(engine: Engine, warehouse: Warehouse) -> None:
    """Whoever loaded the first part was killed before it could say so."""
    warehouse.append([webhook_batch(bodies("a", "b"))])
    warehouse.append([webhook_batch(bodies("b", "c"), 1)])
    warehouse.append([webhook_batch(bodies("a"))])

    assert ["a", "b", "c"] == event_ids(engine, "webhooks_raw")
    assert {place(): 3} == warehouse.progress()


def test_a_repeated_event_id_is_shown_once(engine: Engine, warehouse: Warehouse) -> None:
    """Customer.io may report the same thing again, to any partition; the first one counts."""
    warehouse.append([webhook_batch([webhook_body("a", note="first")])])
    warehouse.append([webhook_batch([webhook_body("a", note="again")], 9, at=place(1))])

    (row,) = engine.ask().read("webhooks", limit=LIMIT)
    assert (0, '{"note":"first"}') == (row["kafka_partition"], str(row["data"]).replace(" ", ""))


def test_progress_outlives_the_process(engine: Engine, warehouse: Warehouse) -> None:
    """The next one goes on where this one was."""
    warehouse.append([webhook_batch(bodies("a"))])
    warehouse.close()
    again = engine.load()
    again.prepare()
    again.append([webhook_batch(bodies("a", "b"))])

    assert {place(): 2} == again.progress()
    assert ["a", "b"] == event_ids(engine, "webhooks_raw")
    again.close()


def test_offsets_without_a_row_count(engine: Engine, warehouse: Warehouse) -> None:
    """Transactions' marks move the progress, without a row or beside rows."""
    warehouse.append([replace(webhook_batch([]), next_offset=5)])
    warehouse.append([replace(webhook_batch(bodies("a"), 5), next_offset=9)])

    assert ["a"] == event_ids(engine)
    assert {place(): 9} == warehouse.progress()


def test_a_topic_made_anew_is_another_place(engine: Engine, warehouse: Warehouse) -> None:
    """Its offsets begin again, and are loaded."""
    anew = place(incarnation="made-anew")
    warehouse.append([webhook_batch(bodies("a", "b"))])
    warehouse.append([webhook_batch(bodies("c"), at=anew)])

    assert ["a", "b", "c"] == event_ids(engine)
    assert {place(): 2, anew: 1} == warehouse.progress()


def test_what_cannot_be_read_is_a_row_with_a_fault(engine: Engine, warehouse: Warehouse) -> None:
    """Each for itself, even if they are alike."""
    warehouse.append([webhook_batch([b"no", b"no", None, b"\xff", b"[]", b"{}"])])

    rows = engine.ask().read("webhooks", limit=LIMIT)
    assert ["not_understood"] * 5 + ["null"] == sorted(row["fault"] for row in rows)
    assert {None} == {row["event_id"] for row in rows}


def test_columns_hold_what_was_put_there(engine: Engine, warehouse: Warehouse) -> None:
    """Text of any language, integers, truth, times and JSON."""
    body = webhook_body(
        "a", "clicked", href="https://example.com/ü/\N{GRINNING FACE}'\"", machine=True, newest=[1, None]
    )
    warehouse.append([webhook_batch([body])])
    warehouse.append([result_batch([result_value(5, attempts=2**62, status=None, more={"x": 1})])])

    (row,) = engine.ask().read("webhooks", where={"event_id": "a"}, limit=LIMIT)
    assert ("https://example.com/ü/\N{GRINNING FACE}'\"", True, None) == (row["href"], row["is_machine"], row["fault"])
    assert (False, 1_795_341_600.0) == (row["is_stale"], row["happened_at"].timestamp())
    assert '{"newest":[1,null]}' == str(row["data"]).replace(" ", "")
    (result,) = engine.ask().read("results", where={"source_offset": 5}, limit=LIMIT)
    assert (2**62, None, "event") == (result["attempts"], result["status"], result["operations"])
    assert 1_795_341_600.5 == result["processed_at"].timestamp()


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_can_be_read(engine: Engine, warehouse: Warehouse, view: str) -> None:
    """Of an empty warehouse, and of one with rows."""
    before = engine.ask().read(view, limit=LIMIT)
    warehouse.append([webhook_batch(bodies("a")), result_batch([result_value(0)])])
    after = engine.ask().read(view, limit=LIMIT)

    assert ([] if view != "faults" else [0, 0]) == [row["loaded"] for row in before]
    assert len(before) <= len(after)


def test_a_reader_takes_no_more_than_it_wants(engine: Engine, warehouse: Warehouse) -> None:
    """However much there is."""
    warehouse.append([webhook_batch(bodies(*"abcdef"))])

    assert 4 == len(engine.ask().read("webhooks", limit=4))
    newest = engine.ask().read("webhooks", newest_by="kafka_offset", limit=2)
    assert ["f", "e"] == [row["event_id"] for row in newest]
    assert [] == engine.ask().read("webhooks", where={"event_id": "z"}, limit=4)
