"""The fake's data: tables as the REST API describes them, rows in DuckDB, BigQuery's SQL translated for it."""

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import duckdb
import sqlglot

PROJECT: Final = "p-1"
NAME: Final = "crm"

TYPES: Final = {
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "INTEGER": "BIGINT",
    "BOOL": "BOOLEAN",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMPTZ",
    "JSON": "JSON",
}
"""Anything else is text; a test that declares it wants it to differ."""

_LEGACY: Final = {"INT64": "INTEGER", "BOOL": "BOOLEAN"}
_NAMES: Final = {"BIGINT": "INTEGER", "HUGEINT": "INTEGER", "BOOLEAN": "BOOLEAN", "DOUBLE": "FLOAT", "DATE": "DATE"}


class FakeDataset:
    """One dataset of one project; used by the threads of both servers."""

    def __init__(self) -> None:
        self.project = PROJECT
        self.name = NAME
        self.tables: dict[str, dict[str, Any]] = {}
        self.queries: list[str] = []
        self._lock = threading.RLock()
        self._db = duckdb.connect(config={"threads": 1, "memory_limit": "256MB"})
        self._db.execute("SET TimeZone = 'UTC'")
        self._db.execute(f'ATTACH \':memory:\' AS "{PROJECT}"; CREATE SCHEMA "{PROJECT}".{NAME}')

    def create(self, described: dict[str, Any]) -> dict[str, Any]:
        """Make a table or a view as the REST API describes it."""
        table = described["tableReference"]["tableId"]
        with self._lock:
            if "view" in described:
                self._db.execute(
                    f"CREATE OR REPLACE VIEW {self._named(table)} AS {_translated(described['view']['query'])}"
                )
            else:
                fields = described["schema"]["fields"]
                columns = ", ".join(f'"{field["name"]}" {TYPES.get(field["type"], "VARCHAR")}' for field in fields)
                self._db.execute(f"CREATE TABLE {self._named(table)} ({columns})")
                for field in fields:
                    field["type"] = _LEGACY.get(field["type"], field["type"])
            self.tables[table] = described | {"type": "VIEW" if "view" in described else "TABLE", "etag": "1"}
            return self.tables[table]

    def patch(self, table: str, changes: dict[str, Any]) -> dict[str, Any]:
        """Change one: columns may be added, a view's query replaced."""
        with self._lock:
            if "view" in changes:
                return self.create(self.tables[table] | {"view": changes["view"]})
            there = {field["name"] for field in self.tables[table]["schema"]["fields"]}
            for field in changes["schema"]["fields"]:
                if field["name"] not in there:
                    self._db.execute(
                        f'ALTER TABLE {self._named(table)} ADD COLUMN "{field["name"]}" {TYPES[field["type"]]}'
                    )
                field["type"] = _LEGACY.get(field["type"], field["type"])
            self.tables[table]["schema"] = changes["schema"]
            return self.tables[table]

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows; times are microseconds."""
        with self._lock:
            fields = {field["name"]: field["type"] for field in self.tables[table]["schema"]["fields"]}
            given = [name for name in fields if any(name in row for row in rows)]
            marks = ", ".join(_unnested(fields[name]) for name in given)
            names = ", ".join(f'"{name}"' for name in given)
            into = f"INSERT INTO {self._named(table)} ({names})"
            self._db.execute(f"{into} SELECT {marks}", [[row.get(name) for row in rows] for name in given])

    def ask(self, sql: str, parameters: Mapping[str, Any]) -> tuple[list[dict[str, str]], list[tuple[Any, ...]]]:
        """Run BigQuery's SQL; the schema and the rows."""
        with self._lock:
            self.queries.append(sql)
            found = self._db.execute(_translated(sql), dict(parameters))
            schema = [
                {"name": each[0], "type": _type_of(str(each[1])), "mode": "NULLABLE"} for each in found.description
            ]
            return schema, found.fetchall()

    def _named(self, table: str) -> str:
        return f'"{self.project}".{self.name}."{table}"'


def _unnested(kind: str) -> str:
    if kind == "TIMESTAMP":
        return "make_timestamptz(unnest(?::BIGINT[]))"
    return f"unnest(?::{TYPES.get(kind, 'VARCHAR')}[])"


@lru_cache
def _translated(sql: str) -> str:
    return sqlglot.transpile(sql, read="bigquery", write="duckdb")[0]


def _type_of(duckdb_type: str) -> str:
    if duckdb_type.startswith("TIMESTAMP"):
        return "TIMESTAMP"
    if duckdb_type == "JSON":
        return "JSON"
    return _NAMES.get(duckdb_type, "STRING")
