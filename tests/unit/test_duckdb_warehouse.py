"""What is DuckDB's own: one process at a time, files of other versions, and values of every kind."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

import pytest

from schemas.errors import ConfigError, UnavailableError
from streams.warehouse import duckdb_file
from streams.warehouse.duckdb_file import opened
from streams.warehouse.duckdb_warehouse import DuckDbReader, DuckDbWarehouse
from tests.warehouse_world import NOW_S, place, result_batch, result_value, webhook_batch, webhook_body

HOLD: Final = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('open', flush=True); time.sleep(60)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give where there is nothing yet."""
    return tmp_path / "warehouse.duckdb"


@pytest.fixture
def warehouse(path: Path) -> DuckDbWarehouse:
    """Give a new one."""
    made = DuckDbWarehouse(path)
    made.prepare()
    return made


def execute(path: Path, statement: str) -> list[Any]:
    """Ask the file."""
    with opened(path, read_only=False) as connection:
        return connection.execute(statement).fetchall()


def test_a_column_that_is_new_is_added_to_a_file_from_before(path: Path, warehouse: DuckDbWarehouse) -> None:
    """Its old rows have nothing there; columns that only the file knows stay."""
    warehouse.append([webhook_batch([webhook_body("old")])])
    execute(path, "ALTER TABLE webhooks_raw DROP COLUMN template_id")
    execute(path, "ALTER TABLE webhooks_raw ADD COLUMN from_later VARCHAR")
    warehouse.prepare()
    warehouse.append([webhook_batch([webhook_body("new", template_id=5)], 1)])

    found = {row["event_id"]: row["template_id"] for row in DuckDbReader(path).read("webhooks", limit=9)}
    assert {"old": None, "new": "5"} == found


def test_a_file_that_somebody_has_open_is_waited_for(path: Path, warehouse: DuckDbWarehouse) -> None:
    """Readers and the loader take turns."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        threading.Timer(0.3, other.kill).start()
        warehouse.append([webhook_batch([webhook_body("a")])])

    assert {place(): 1} == warehouse.progress()


def test_a_file_that_stays_open_elsewhere_is_said(
    path: Path, warehouse: DuckDbWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a time; it may be tried again."""
    monkeypatch.setattr(duckdb_file, "OPEN_S", 0.1)
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(UnavailableError, match="is open elsewhere"):
            warehouse.append([webhook_batch([webhook_body("a")])])
        other.kill()


def test_what_is_no_warehouse_is_refused(tmp_path: Path) -> None:
    """A file of another kind, and a folder that is not there."""
    text = tmp_path / "notes.txt"
    text.write_text("no database")

    with pytest.raises(ConfigError, match="cannot be opened"):
        DuckDbWarehouse(text).prepare()
    with pytest.raises(ConfigError, match="cannot be written"):
        DuckDbWarehouse(tmp_path / "nowhere" / "w.duckdb").prepare()
    assert "no database" == text.read_text()


def test_the_file_is_for_its_owner_alone(path: Path, warehouse: DuckDbWarehouse) -> None:
    """It holds ids of persons; what DuckDB writes beside it as well."""
    with opened(path, read_only=False) as connection:
        connection.execute("CREATE TABLE of_somebody (x BIGINT)")
        modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    warehouse.close()

    assert {path.name, f"{path.name}.wal", f"{path.name}.loader"} == set(modes)
    assert {0o600} == set(modes.values())


def test_a_file_of_nothing_becomes_a_warehouse(path: Path) -> None:
    """Somebody made it with `touch`; until then there is none for a reader."""
    path.touch()
    with pytest.raises(UnavailableError, match="There is no warehouse"):
        DuckDbReader(path).read("webhooks", limit=1)
    DuckDbWarehouse(path).prepare()

    assert [] == DuckDbReader(path).read("webhooks", limit=1)


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE orders (id BIGINT)",
        "CREATE TABLE progress (percent BIGINT)",
        "CREATE TABLE webhooks_raw (row_key BIGINT)",
        "CREATE VIEW messages AS SELECT 1 AS one",
    ],
)
def test_a_file_of_somebody_else_is_refused(path: Path, made: str) -> None:
    """And stays as it was; a reader is told what makes the views."""
    execute(path, made)
    with pytest.raises(ConfigError, match="set another WAREHOUSE"):
        DuckDbWarehouse(path).prepare()
    with pytest.raises(UnavailableError, match="`cio-streams warehouse` makes it"):
        DuckDbReader(path).read("message_funnel", limit=1)

    assert 1 == len(execute(path, "SELECT DISTINCT table_name FROM duckdb_columns() WHERE NOT internal"))


def test_a_table_of_ours_with_other_columns_is_refused(path: Path, warehouse: DuckDbWarehouse) -> None:
    """Its rows would be lost among ours; tables beside ours are somebody's own."""
    execute(path, "CREATE TABLE orders (id BIGINT)")
    warehouse.prepare()
    execute(path, "ALTER TABLE results_raw ALTER COLUMN outcome TYPE BIGINT")

    with pytest.raises(ConfigError, match="results_raw is no warehouse's"):
        warehouse.prepare()


def test_a_file_is_waited_for_by_the_clock(path: Path, warehouse: DuckDbWarehouse) -> None:
    """However long each try takes."""
    seconds, slept = iter(range(0, 1_000, 6)), list[float]()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with (
            pytest.raises(UnavailableError, match="is open elsewhere"),
            opened(path, read_only=True, sleep=slept.append, clock=lambda: next(seconds)),
        ):
            pass
        other.kill()
    warehouse.close()

    assert 2 == len(slept)


def test_a_file_that_was_taken_away_is_not_made_anew(path: Path, warehouse: DuckDbWarehouse) -> None:
    """A new one without the old rows would look as if nothing had happened."""
    path.unlink()

    with pytest.raises(ConfigError, match="is gone"):
        warehouse.append([webhook_batch([webhook_body("a")])])
    assert not path.exists()


def test_without_a_warehouse_a_reader_says_what_to_run(path: Path) -> None:
    """And makes none."""
    with pytest.raises(UnavailableError, match="`cio-streams warehouse` makes one"):
        DuckDbReader(path).read("webhooks", limit=1)
    assert not path.exists()


def test_a_batch_that_fails_leaves_nothing(path: Path, warehouse: DuckDbWarehouse) -> None:
    """Neither its rows nor its progress, nor those of the batches beside it."""
    execute(path, "ALTER TABLE results_raw ALTER COLUMN outcome TYPE BIGINT")
    with pytest.raises(UnavailableError):
        warehouse.append([webhook_batch([webhook_body("a")]), result_batch([b'{"outcome": "delivered"}'])])

    assert ({}, [(0,)]) == (warehouse.progress(), execute(path, "SELECT COUNT(*) FROM webhooks_raw"))


def keys(path: Path, table: str) -> list[tuple[str, int]]:
    """Of all rows, with their offsets."""
    return sorted(execute(path, f"SELECT row_key, kafka_offset FROM {table}"))  # noqa: S608 - names of ours


def test_a_repeat_is_not_loaded(path: Path, warehouse: DuckDbWarehouse) -> None:
    """Neither within a batch, nor beside another one, nor later; the first one counts."""
    again = [webhook_body(event_id, at_s=5) for event_id in ("b", "c", "a", "c", "d")]
    warehouse.append([webhook_batch([webhook_body("a"), webhook_body("b"), webhook_body("a")])])
    warehouse.append([webhook_batch(again[:4], 50, at=place(1)), webhook_batch(again[4:] * 2, 60, at=place(2))])

    assert [("a", 0), ("b", 1), ("c", 51), ("d", 60)] == keys(path, "webhooks_raw")


def test_a_result_that_is_read_again_is_not_loaded(path: Path, warehouse: DuckDbWarehouse) -> None:
    """From a topic that was made anew from a copy; also one without a time, and what is no result at all."""
    untimed = {"topic": "domain-events", "partition": 0, "offset": 8}
    values = [result_value(5), result_value(6), result_value(8, source=untimed)]
    warehouse.append([result_batch([*values, b"no result"])])
    again = place(topic="customerio-results", incarnation="made-first~again")
    warehouse.append([result_batch([*values, result_value(7)], 40, at=again)])

    assert [0, 1, 2, 3, 43] == [offset for _, offset in sorted(keys(path, "results_raw"), key=lambda each: each[1])]


def test_one_events_messages_are_those_of_the_view(path: Path, warehouse: DuckDbWarehouse) -> None:
    """Also where another person's event names the message, and where an event is a replay's."""
    origin = {"topic": "domain-events", "partition": 0, "offset": 1}
    events = [("A", "u-1", {}), ("B", "u-1", {}), ("C", "u-2", {}), ("D", "u-3", {"origin": origin})]
    results = [
        result_value(number, event_id=event_id, user_id=person, **more)
        for number, (event_id, person, more) in enumerate(events)
    ]
    told = [("d1", "u-1", "A"), ("d2", "u-1", "C"), ("d3", "u-1", None), ("d4", "u-9", "A"), ("d5", "u-3", None)]
    webhooks = [
        webhook_body(
            f"e{delivery}",
            delivery_id=delivery,
            campaign_id=7,
            at_s=NOW_S + 9,
            identifiers={"id": person},
            trigger_event_id=event_id,
        )
        for delivery, person, event_id in told
    ]
    warehouse.append([result_batch(results), webhook_batch(webhooks)])
    reader = DuckDbReader(path)
    every = sorted(reader.read("event_messages", limit=99), key=lambda row: row["delivery_id"])
    each = [row for name, _, _ in events for row in reader.read("event_messages", where={"event_id": name}, limit=99)]

    assert ["d1", "d2", "d3", "d4", "d5"] == [row["delivery_id"] for row in every]
    assert every == sorted(each, key=lambda row: row["delivery_id"])
