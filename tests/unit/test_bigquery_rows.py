"""Rows that a request cannot hold, or that BigQuery does not like: each is stored, and holds up no other one."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from google.cloud.bigquery_storage_v1.types import RowError

from schemas.errors import UnavailableError
from streams.warehouse.bigquery.rows import REFUSED, REQUEST_BYTES_MAX, TOO_LARGE
from tests.fake_bigquery.world import World, bigquery_world, one
from tests.warehouse_world import NOW_S, place, webhook_batch, webhook_body


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty dataset."""
    with bigquery_world() as made:
        yield made


def test_a_batch_that_is_too_large_for_a_request_goes_in_several(world: World) -> None:
    """In the order of the offsets."""
    loader = world.prepared()
    world.write.bytes_max = REQUEST_BYTES_MAX + 100_000
    note = "n" * (REQUEST_BYTES_MAX // 3)
    loader.append([webhook_batch([webhook_body(each, note=note) for each in "abcd"])])

    assert (["a", "b", "c", "d"], 1 + 2) == ([row["event_id"] for row in world.rows()], world.write.appends)
    assert {place(): 4} == loader.progress()


def test_a_row_that_is_too_large_for_any_request_is_cut(world: World) -> None:
    """It says so."""
    loader = world.prepared()
    loader.append(one(note="n" * (REQUEST_BYTES_MAX + 1)))

    (row,) = world.rows()
    assert (TOO_LARGE, None, "a", "u-1") == (row["fault"], row["data"], row["event_id"], row["person_id"])


def test_a_row_of_a_day_that_is_years_away_goes_without_it(world: World) -> None:
    """BigQuery divides rows by days within some years only."""
    loader = world.prepared()
    world.write.refused = lambda row: row.get("received_at") == NOW_S * 1_000_000
    loader.append([webhook_batch([webhook_body("a"), webhook_body("b")])])

    assert [("a", None, None), ("b", None, False)] == [
        (row["event_id"], row["fault"], row["received_at"] and row["received_at"].year != 2026) for row in world.rows()
    ]


def test_a_row_that_bigquery_refuses_holds_up_nothing(world: World) -> None:
    """What it needs to be counted is stored, and why."""
    loader = world.prepared()
    world.write.refused = lambda row: row.get("event_id") == "b"
    loader.append([webhook_batch([webhook_body(each) for each in "abc"])])

    assert [("a", None), (None, REFUSED), ("c", None)] == [(row["event_id"], row["fault"]) for row in world.rows()]
    assert "b" == world.rows()[1]["row_key"]


def test_a_row_whose_json_is_refused_keeps_its_columns(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what has to go goes; where it lies is said, and nothing of what is in it."""
    loader = world.prepared()
    world.write.refused = lambda row: "odd" in str(row.get("data"))
    loader.append([webhook_batch([webhook_body("a"), webhook_body("b", note="odd")])])

    (_, cut) = world.rows()
    assert ("b", "u-1", None, REFUSED) == (cut["event_id"], cut["person_id"], cut["data"], cut["fault"])
    said = capsys.readouterr().out
    assert ("customerio-webhooks/0" in said, "offsets=[1]" in said, "odd" in said) == (True, True, False)


def test_a_row_that_is_refused_for_no_reason_of_its_own_is_looked_for_by_halves(world: World) -> None:
    """The others of its request may be named with it."""
    loader = world.prepared()
    world.write.refused = lambda row: "odd" in str(row.get("data"))
    world.write.row_code = RowError.RowErrorCode.ROW_ERROR_CODE_UNSPECIFIED
    notes = ("good", "good", "odd", "good")
    batch = webhook_batch([webhook_body(str(number), note=note) for number, note in enumerate(notes)])
    for _ in range(4):
        with suppress(UnavailableError):
            loader.append([batch])

    assert [None, None, REFUSED, None] == [row["fault"] for row in world.rows()]


def test_rows_that_are_refused_whatever_is_in_them_are_waited_with(world: World) -> None:
    """Somebody has to look at the table."""
    loader = world.prepared()
    world.write.refused = lambda row: "row_key" in row
    with pytest.raises(UnavailableError, match="refuses rows even without their contents"):
        loader.append(one())
    world.write.refused = lambda _: False
    loader.append(one())

    assert [REFUSED] == [row["fault"] for row in world.rows()]
