"""Puts rows into a DuckDB table so that it has each key once: so readers need not sort out the repeats of millions.

What a batch's keys are compared with is bounded by `Table.near`: DuckDB knows of each part of a table from where to
where a column's values go, and passes over the parts that cannot have it.
"""

from collections.abc import Iterator, Sequence

import duckdb

from streams.warehouse.dialect import DUCKDB
from streams.warehouse.tables import Column, Row, Table, Value


def insert_once(connection: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Row]) -> None:
    """Put in those whose key is not there; of those with the same key the first one."""
    key_at = table.names.index("row_key")
    new = {row[key_at]: row for row in reversed(rows)}
    for key in _there(connection, table, list(new.values())):
        del new[key]
    _insert(connection, table, list(reversed(new.values())))


def _there(connection: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Row]) -> Iterator[str]:
    """The keys that are there already; those that say nothing of `near` are looked for apart."""
    key_at, near_at = table.names.index("row_key"), table.names.index(table.near)
    (near,) = (column for column in table.columns if column.name == table.near)
    known = [row for row in rows if row[near_at] is not None]
    if known:
        values = [row[near_at] for row in known]
        ends = [min(values), max(values)]  # type: ignore[type-var]  # of one kind, and none is null
        one = "make_timestamptz(?)" if near.kind == "time" else "?"
        yield from _found(
            connection, table, f"{near.name} BETWEEN {one} AND {one}", ends, [row[key_at] for row in known]
        )
    unknown = [row[key_at] for row in rows if row[near_at] is None]
    if unknown:
        yield from _found(connection, table, f"{near.name} IS NULL", [], unknown)


def _found(
    connection: duckdb.DuckDBPyConnection, table: Table, where: str, values: Sequence[Value], keys: Sequence[Value]
) -> list[str]:
    asked = f"SELECT row_key FROM {table.name} WHERE {where} AND row_key IN (SELECT unnest(?::VARCHAR[]))"  # noqa: S608 - names of ours
    return [key for (key,) in connection.execute(asked, [*values, list(keys)]).fetchall()]


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Row]) -> None:
    """Column by column, as lists: a statement for each row would be a hundred times slower."""
    if not rows:
        return
    columns = [list(values) for values in zip(*rows, strict=True)]
    unnested = ", ".join(map(_unnested, table.columns))
    connection.execute(f"INSERT INTO {table.name} ({', '.join(table.names)}) SELECT {unnested}", columns)


def _unnested(column: Column) -> str:
    if column.kind == "time":
        return "make_timestamptz(unnest(?::BIGINT[]))"
    return f"unnest(?::{DUCKDB.types[column.kind]}[])"
