"""From the setting `WAREHOUSE` to the engine it names; an engine's library is imported only where it is used."""

from pathlib import Path

from streams.settings import Settings
from streams.warehouse.port import Warehouse, WarehouseReader


def open_warehouse(settings: Settings) -> Warehouse:
    """Give the loader's side; nothing is opened before it is prepared."""
    from streams.warehouse.duckdb_warehouse import DuckDbWarehouse  # noqa: PLC0415 - as above

    return DuckDbWarehouse(_duckdb_path(settings))


def open_reader(settings: Settings) -> WarehouseReader:
    """Give the readers' side."""
    from streams.warehouse.duckdb_warehouse import DuckDbReader  # noqa: PLC0415 - as above

    return DuckDbReader(_duckdb_path(settings))


def takes_one_loader(settings: Settings) -> bool:
    """Whether there can be only one process that loads it."""
    return settings.warehouse.startswith("duckdb:")


def _duckdb_path(settings: Settings) -> Path:
    return Path(settings.warehouse.partition(":")[2]).expanduser()
