"""From the setting `WAREHOUSE` to the engine it names; an engine's library is imported only where it is used."""

from pathlib import Path
from typing import Final

from streams.settings import Settings
from streams.warehouse.port import Warehouse, WarehouseReader

BIGQUERY: Final = "bigquery:"


def open_warehouse(settings: Settings) -> Warehouse:
    """Give the loader's side; nothing is written before it is prepared.

    Raises:
        ConfigError: there are no credentials for it.
    """
    if settings.warehouse.startswith(BIGQUERY):
        from streams.warehouse.bigquery.connect import Dataset, connect  # noqa: PLC0415 - as above
        from streams.warehouse.bigquery.warehouse import BigQueryWarehouse  # noqa: PLC0415 - as above

        return BigQueryWarehouse(connect(Dataset.named(settings.warehouse.removeprefix(BIGQUERY))))
    from streams.warehouse.duckdb_warehouse import DuckDbWarehouse  # noqa: PLC0415 - as above

    return DuckDbWarehouse(_duckdb_path(settings))


def open_reader(settings: Settings) -> WarehouseReader:
    """Give the readers' side.

    Raises:
        ConfigError: there are no credentials for it.
    """
    if settings.warehouse.startswith(BIGQUERY):
        from streams.warehouse.bigquery.connect import Dataset, connect  # noqa: PLC0415 - as above
        from streams.warehouse.bigquery.reader import BigQueryReader  # noqa: PLC0415 - as above

        return BigQueryReader(connect(Dataset.named(settings.warehouse.removeprefix(BIGQUERY))))
    from streams.warehouse.duckdb_warehouse import DuckDbReader  # noqa: PLC0415 - as above

    return DuckDbReader(_duckdb_path(settings))


def takes_one_loader(settings: Settings) -> bool:
    """Whether there can be only one process that loads it."""
    return settings.warehouse.startswith("duckdb:")


def _duckdb_path(settings: Settings) -> Path:
    return Path(settings.warehouse.partition(":")[2]).expanduser()
