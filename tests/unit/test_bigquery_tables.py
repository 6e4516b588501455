"""BigQuery's tables and views are made as declared, and checked; what cannot be mended is one clear error."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlglot
from sqlglot import expressions

from schemas.errors import ConfigError
from streams.warehouse.bigquery.register import REGISTER
from streams.warehouse.bigquery.tables import ALL_TABLES
from streams.warehouse.dialect import VIEWS
from tests.fake_bigquery.world import World, bigquery_world
from tests.warehouse_world import webhook_batch, webhook_body

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty dataset."""
    with bigquery_world() as made:
        yield made


def field_of(table: dict[str, Any], name: str) -> dict[str, Any]:
    """One of its columns, as it is described."""
    found: dict[str, Any] = next(each for each in table["schema"]["fields"] if each["name"] == name)
    return found


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda each: each.name)
def test_tables_are_made_as_declared(world: World, table: Any) -> None:  # noqa: ANN401 - a table
    """Divided by day, clustered, every column with its meaning; old notes must not go with a division's end."""
    world.prepared()

    made = world.data.tables[table.name]
    divided = None if table is REGISTER else {"type": "DAY", "field": table.day}
    assert divided == made.get("timePartitioning")
    assert list(table.cluster) == made["clustering"]["fields"]
    assert [(each.name, each.meaning) for each in table.columns] == [
        (each["name"], each["description"]) for each in made["schema"]["fields"]
    ]


def test_what_is_up_to_date_is_only_looked_at(world: World) -> None:
    """Loaders that start together do not use up BigQuery's quota of changes."""
    world.prepared()
    world.rest.asked.clear()
    world.prepared()

    assert [f"GET {name}" for name in (*(each.name for each in ALL_TABLES), *VIEWS)] == world.rest.asked


def test_a_column_that_is_missing_is_added(world: World) -> None:
    """The rows that are there keep it empty."""
    world.prepared().append([webhook_batch([webhook_body("a")])])
    described = world.data.tables["webhooks_raw"]
    described["schema"]["fields"].remove(field_of(described, "href"))
    world.data.ask("DROP VIEW `p-1.crm.webhooks`", {})
    world.data._db.execute('ALTER TABLE "p-1".crm.webhooks_raw DROP COLUMN href')
    world.prepared().append([webhook_batch([webhook_body("b", href="https://example.com/")], 1)])

    rows = world.reader().read("webhooks_raw", limit=9)
    assert {"a": None, "b": "https://example.com/"} == {row["event_id"]: row["href"] for row in rows}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: field_of(table, "event_id").update(type="INTEGER"), "event_id is NULLABLE INT64 instead of"),
        (lambda table: field_of(table, "event_id").update(mode="REPEATED"), "event_id is REPEATED STRING instead of"),
        (lambda table: field_of(table, "event_id").update(mode="REQUIRED"), "event_id is required, but may be null"),
        (lambda table: field_of(table, "row_key").update(name="other"), "row_key is missing"),
        (
            lambda table: table["schema"]["fields"].append({"name": "theirs", "type": "STRING", "mode": "REQUIRED"}),
            "theirs is required, and unknown",
        ),
        (lambda table: table.pop("timePartitioning"), "not partitioned by the day of received_at"),
        (lambda table: table["timePartitioning"].update(field="happened_at"), "not partitioned by the day"),
        (lambda table: table.pop("clustering"), "not clustered by person_id, delivery_id"),
        (lambda table: table.update(type="EXTERNAL"), "it is a EXTERNAL"),
    ],
)
def test_anything_else_that_differs_is_refused(world: World, change: Change, said: str) -> None:
    """And nothing is changed."""
    world.prepared()
    change(world.data.tables["webhooks_raw"])
    world.rest.asked.clear()
    with pytest.raises(ConfigError, match=said):
        world.prepared()

    assert [] == [each for each in world.rest.asked if not each.startswith("GET")]


def test_all_differences_are_said_at_once(world: World) -> None:
    """Nobody mends one after the other."""
    world.prepared()
    world.data.tables["webhooks_raw"].pop("clustering")
    field_of(world.data.tables["webhooks_raw"], "metric").update(type="BOOLEAN")

    with pytest.raises(ConfigError, match=r"webhooks_raw is not ours as it is: it is not clustered .*; metric is"):
        world.prepared()


def test_a_column_of_somebody_elses_stays(world: World) -> None:
    """A newer loader may have added it."""
    world.prepared()
    world.data.tables["webhooks_raw"]["schema"]["fields"].append(
        {"name": "newer", "type": "STRING", "mode": "NULLABLE"}
    )
    world.prepared()

    assert field_of(world.data.tables["webhooks_raw"], "newer")


def test_a_view_that_says_something_else_is_replaced(world: World) -> None:
    """Views are ours."""
    world.prepared()
    world.data.tables["results"]["view"]["query"] = "SELECT 1 AS one"
    world.prepared()

    assert "QUALIFY" in world.data.tables["results"]["view"]["query"]


def test_a_table_in_the_place_of_a_view_is_refused(world: World) -> None:
    """It is somebody else's."""
    world.prepared()
    world.data.tables["webhooks"]["type"] = "TABLE"

    with pytest.raises(ConfigError, match=r"p-1\.crm\.webhooks is no view"):
        world.prepared()


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_names_the_dataset_of_whatever_it_reads(world: World, view: str) -> None:
    """BigQuery knows no default dataset within a view."""
    world.prepared()

    parsed = sqlglot.parse_one(world.data.tables[view]["view"]["query"], read="bigquery")
    own = {each.alias for each in parsed.find_all(expressions.CTE)}
    read = [each for each in parsed.find_all(expressions.Table) if each.name not in own]
    assert read
    assert {("p-1", "crm")} == {(each.catalog, each.db) for each in read if not isinstance(each.this, expressions.Func)}
