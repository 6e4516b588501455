"""Brings a DuckDB file's tables, columns and views to what is declared now; a file of somebody else's is refused."""

from pathlib import Path
from typing import Final

import duckdb

from schemas.errors import ConfigError
from streams.warehouse.dialect import DUCKDB, VIEWS
from streams.warehouse.tables import TABLES, Column

PROGRESS: Final = "progress"
_PROGRESS: Final = (
    Column("kafka_topic", "text", "of a place, full name", is_needed=True),
    Column("kafka_incarnation", "text", "which topic of that name it is", is_needed=True),
    Column("kafka_partition", "integer", "its partition", is_needed=True),
    Column("next_offset", "integer", "everything before it is loaded", is_needed=True),
)
_OURS: Final = {PROGRESS: _PROGRESS, **{table.name: table.columns for table in TABLES}}
_AS_LISTED: Final = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}


def bring_up_to_date(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Within a transaction of the caller's.

    Raises:
        ConfigError: the file is not empty, and no warehouse.
    """
    _check(connection, path)
    for name, columns in _OURS.items():
        declared = ", ".join(_declared(column) + " NOT NULL" * column.is_needed for column in columns)
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({declared})")
        for column in columns:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {_declared(column)}")
    for view in VIEWS:
        connection.execute(f"CREATE OR REPLACE VIEW {view} AS {DUCKDB.view(view)}")


def _check(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Beside our tables there may be others; without ours there may be none."""
    there: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    ).fetchall():
        there.setdefault(table, {})[column] = kind
    if there and not there.keys() >= _OURS.keys():
        raise ConfigError(f"{path} holds other tables than a warehouse's: set another WAREHOUSE")
    for name, columns in _OURS.items() if there else ():
        for column in columns:
            kind = there[name].get(column.name)
            if kind not in (None, _listed(column)) or (kind is None and column.is_needed):
                raise ConfigError(f"{path}: its table {name} is no warehouse's ({column.name}): set another WAREHOUSE")


def _listed(column: Column) -> str:
    kind = DUCKDB.types[column.kind]
    return _AS_LISTED.get(kind, kind)


def _declared(column: Column) -> str:
    return f"{column.name} {DUCKDB.types[column.kind]}"
