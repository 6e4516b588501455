"""Asks a BigQuery dataset, for reports."""

from collections.abc import Mapping
from typing import Any

import orjson
from google.api_core.exceptions import NotFound
from google.cloud.bigquery import ScalarQueryParameter

from schemas.errors import UnavailableError
from streams.warehouse.bigquery.connect import Clients
from streams.warehouse.bigquery.rest import asking, query
from streams.warehouse.port import Found


class BigQueryReader:
    """Asks a dataset; a `WarehouseReader`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(
        self, view: str, *, where: Mapping[str, str | int] | None = None, newest_by: str | None = None, limit: int
    ) -> list[Found]:
        """At most `limit` rows whose columns have these values; those with the highest `newest_by`."""
        values = where or {}
        conditions = " AND ".join(f"`{column}` = @{column}" for column in values) or "TRUE"
        ordered = f" ORDER BY `{newest_by}` DESC" if newest_by else ""
        name = self._clients.dataset.table(view)
        asked = f"SELECT * FROM `{name}` WHERE {conditions}{ordered} LIMIT {limit:d}"  # noqa: S608 - names of ours, values apart
        parameters = [
            ScalarQueryParameter(column, "INT64" if isinstance(value, int) else "STRING", value)
            for column, value in values.items()
        ]
        with asking(name):
            try:
                rows = query(self._clients.rest, asked, parameters)
            except NotFound as error:
                raise UnavailableError(f"There is no warehouse at {name}: `cio-streams warehouse` makes one") from error
            texts = {field.name for field in rows.schema if field.field_type == "JSON"}
            return [{key: _told(value, is_json=key in texts) for key, value in row.items()} for row in rows]

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()


def _told(value: Any, *, is_json: bool) -> Any:  # noqa: ANN401 - a column's value
    return orjson.dumps(value).decode() if is_json and value is not None else value
