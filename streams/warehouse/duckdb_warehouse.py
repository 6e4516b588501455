"""The warehouse in a DuckDB file: rows and progress are one transaction, so that a crash leaves both or neither."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from schemas.errors import ConfigError, UnavailableError
from streams.warehouse.duckdb_file import LoaderLock, opened
from streams.warehouse.duckdb_narrow import event_messages
from streams.warehouse.duckdb_rows import insert_once
from streams.warehouse.duckdb_tables import PROGRESS, bring_up_to_date
from streams.warehouse.port import Batch, Found, Place
from streams.warehouse.tables import TABLES, Row

_PLACE: Final = "kafka_topic = ? AND kafka_incarnation = ? AND kafka_partition = ?"


class DuckDbWarehouse:
    """Loads a file; a `Warehouse`. It is open only while something is written, so others may read in between."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = LoaderLock(path)

    def prepare(self) -> None:
        """Take the file for this loader, and bring tables and views up to date."""
        self._lock.take()
        if _is_there(self._path):
            _bring_up_to_date(self._path)
            return
        new = self._path.with_name(self._path.name + ".new")  # renamed when whole: a crash leaves no half of a file
        new.unlink(missing_ok=True)
        _bring_up_to_date(new)
        new.replace(self._path)

    def progress(self) -> dict[Place, int]:
        """The next offset of each place that was ever loaded."""
        with opened(self._path, read_only=True) as connection:
            return _progress(connection)

    def append(self, batches: Sequence[Batch]) -> Mapping[Place, str]:
        """Load all of them in one transaction.

        Raises:
            ConfigError: somebody took the file away.
        """
        if not self._path.exists():
            raise ConfigError(f"{self._path} is gone: start the loader again, and it makes a new one")
        with _transaction(self._path) as connection:
            known = _progress(connection)
            rows: dict[str, list[Row]] = {table.name: [] for table in TABLES}
            for batch in batches:
                start = known.get(batch.place, batch.first_offset)
                if batch.next_offset > start or batch.place not in known:
                    rows[batch.table.name] += batch.rows_from(start)
                    _move(connection, batch.place, batch.next_offset, is_new=batch.place not in known)
            for table in TABLES:
                insert_once(connection, table, rows[table.name])
        return {}

    def close(self) -> None:
        """Let another loader have the file."""
        self._lock.release()


class DuckDbReader:
    """Asks a file; a `WarehouseReader`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(
        self, view: str, *, where: Mapping[str, str | int] | None = None, newest_by: str | None = None, limit: int
    ) -> list[Found]:
        """At most `limit` rows whose columns have these values."""
        if not _is_there(self._path):
            raise UnavailableError(f"There is no warehouse at {self._path}: `cio-streams warehouse` makes one")
        asked, values = _asked(view, where or {}, newest_by)
        with opened(self._path, read_only=True) as connection:
            try:
                found = connection.execute(f"{asked} LIMIT ?", [*values, limit])
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                raise UnavailableError(
                    f"{self._path} has no view {view} as we know it: `cio-streams warehouse` makes it"
                ) from error
            names = [each[0] for each in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def close(self) -> None:
        """Nothing is held between two questions."""


def _asked(view: str, where: Mapping[str, str | int], newest_by: str | None) -> tuple[str, list[str | int]]:
    """A query, and its values."""
    if view == "event_messages" and where.keys() == {"event_id"} and newest_by is None:
        return event_messages(str(where["event_id"]))
    conditions = " AND ".join(f"{column} = ?" for column in where) or "TRUE"
    order = f" ORDER BY {newest_by} DESC NULLS LAST" if newest_by else ""
    return f"SELECT * FROM {view} WHERE {conditions}{order}", list(where.values())  # noqa: S608 - names of ours, values apart


@contextmanager
def _transaction(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(path, read_only=False) as connection:
        connection.begin()
        yield connection
        connection.commit()


def _bring_up_to_date(path: Path) -> None:
    with _transaction(path) as connection:
        bring_up_to_date(connection, path)


def _is_there(path: Path) -> bool:
    """A file of nothing is as none."""
    return path.exists() and (not path.is_file() or path.stat().st_size > 0)


def _progress(connection: duckdb.DuckDBPyConnection) -> dict[Place, int]:
    rows = connection.execute(
        f"SELECT kafka_topic, kafka_incarnation, kafka_partition, next_offset FROM {PROGRESS}"  # noqa: S608 - our own name
    ).fetchall()
    return {Place(topic, incarnation, partition): offset for topic, incarnation, partition, offset in rows}


def _move(connection: duckdb.DuckDBPyConnection, place: Place, offset: int, *, is_new: bool) -> None:
    if is_new:
        connection.execute(f"INSERT INTO {PROGRESS} VALUES (?, ?, ?, ?)", [*place, offset])  # noqa: S608 - our own name
    else:
        connection.execute(f"UPDATE {PROGRESS} SET next_offset = ? WHERE {_PLACE}", [offset, *place])  # noqa: S608 - our own name
