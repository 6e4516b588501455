"""The dataset's tables and views: made where they are missing, checked where they are there.

A declared column that is missing is added; anything else that differs is one clear error, never a guess.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import structlog
from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from schemas.errors import ConfigError
from streams.warehouse.bigquery.connect import Clients
from streams.warehouse.bigquery.register import REGISTER
from streams.warehouse.bigquery.rest import REQUEST_S, RETRY, asking
from streams.warehouse.dialect import BIGQUERY, VIEWS
from streams.warehouse.tables import TABLES, Column, Table

ALL_TABLES: Final = (*TABLES, REGISTER)
_ALIASES: Final = {"INTEGER": "INT64", "BOOLEAN": "BOOL"}

log = structlog.get_logger()


class Tables:
    """Those of one dataset."""

    def __init__(self, clients: Clients) -> None:
        self._client = clients.rest
        self._dataset = clients.dataset
        self._dialect = replace(BIGQUERY, relation=f"`{clients.dataset}.{{}}`")  # a view knows no default dataset

    def bring_up_to_date(self) -> None:
        """Make and check all of them.

        Raises:
            ConfigError: one is not as declared, or may not be made.
            UnavailableError: BigQuery does not answer.
        """
        for table in ALL_TABLES:
            self._bring_table(table)
        for view in VIEWS:
            self._bring_view(view, self._dialect.view(view))

    def name(self, table: Table) -> str:
        """In full."""
        return self._dataset.table(table.name)

    def check(self, table: Table) -> None:
        """Look at one that is in use, and add what is missing.

        Raises:
            ConfigError: it is gone, or not as declared.
            UnavailableError: BigQuery does not answer.
        """
        name = self.name(table)
        with asking(f"table {name}"):
            self._compare(table, self._client.get_table(name, retry=RETRY, timeout=REQUEST_S))

    def _bring_table(self, table: Table) -> None:
        name = self._dataset.table(table.name)
        with asking(f"dataset {self._dataset} for the table {table.name}"):
            try:
                found = self._client.get_table(name, retry=RETRY, timeout=REQUEST_S)
            except NotFound:
                self._client.create_table(declared(name, table), exists_ok=True, retry=RETRY, timeout=REQUEST_S)
                found = self._client.get_table(name, retry=RETRY, timeout=REQUEST_S)
            self._compare(table, found)

    def _compare(self, table: Table, found: bigquery.Table) -> None:
        differences = list(_differences(table, found))
        if differences:
            raise ConfigError(f"WAREHOUSE: the table {found} is not ours as it is: {'; '.join(differences)}")
        missing = _missing(table, found)
        if missing:
            found.schema = [*found.schema, *map(_field, missing)]
            self._client.update_table(found, ["schema"], retry=RETRY, timeout=REQUEST_S)
            log.info("columns added", table=table.name, columns=[column.name for column in missing])

    def _bring_view(self, name: str, query: str) -> None:
        full = self._dataset.table(name)
        with asking(f"view {full}"):
            try:
                found = self._client.get_table(full, retry=RETRY, timeout=REQUEST_S)
            except NotFound:
                view = bigquery.Table(full)
                view.view_query = query
                found = self._client.create_table(view, exists_ok=True, retry=RETRY, timeout=REQUEST_S)
            if found.table_type not in {None, "VIEW"}:
                raise ConfigError(f"WAREHOUSE: {full} is no view: name it otherwise, or set another WAREHOUSE")
            if found.view_query != query:
                found.view_query = query
                self._client.update_table(found, ["view_query"], retry=RETRY, timeout=REQUEST_S)


def declared(name: str, table: Table) -> bigquery.Table:
    """A table as it is made: `name` is project, dataset and its own."""
    made = bigquery.Table(name, schema=[_field(column) for column in table.columns])
    if table is not REGISTER:  # a dataset may let divisions expire, and an old note may be of a stream that is used
        made.time_partitioning = bigquery.TimePartitioning(type_=bigquery.TimePartitioningType.DAY, field=table.day)
    made.clustering_fields = list(table.cluster)
    return made


def _field(column: Column) -> bigquery.SchemaField:
    mode = "REQUIRED" if column.is_needed else "NULLABLE"
    return bigquery.SchemaField(column.name, BIGQUERY.types[column.kind], mode=mode, description=column.meaning)


def _missing(table: Table, found: bigquery.Table) -> Sequence[Column]:
    there = {field.name.lower() for field in found.schema}
    return [column for column in table.columns if column.name not in there]


def _differences(table: Table, found: bigquery.Table) -> Iterator[str]:
    """What cannot be mended by adding a column."""
    if found.table_type not in {None, "TABLE"}:
        yield f"it is a {found.table_type}"
        return
    if table is not REGISTER and not _is_divided(table, found):
        yield f"it is not partitioned by the day of {table.day}"
    if list(found.clustering_fields or ()) != list(table.cluster):
        yield f"it is not clustered by {', '.join(table.cluster)}"
    there = {field.name.lower(): field for field in found.schema}
    for column in table.columns:
        yield from _column_differences(column, there.pop(column.name, None))
    yield from (f"{name} is required, and unknown" for name, field in there.items() if field.mode == "REQUIRED")


def _is_divided(table: Table, found: bigquery.Table) -> bool:
    divided = found.time_partitioning
    return divided is not None and (divided.type_, divided.field) == (bigquery.TimePartitioningType.DAY, table.day)


def _column_differences(column: Column, field: bigquery.SchemaField | None) -> Iterator[str]:
    if field is None:
        if column.is_needed:
            yield f"{column.name} is missing"
        return
    kind = _ALIASES.get(field.field_type, field.field_type)
    if kind != BIGQUERY.types[column.kind] or field.mode == "REPEATED":
        yield f"{column.name} is {field.mode} {kind} instead of {BIGQUERY.types[column.kind]}"
    elif field.mode == "REQUIRED" and not column.is_needed:
        yield f"{column.name} is required, but may be null"
