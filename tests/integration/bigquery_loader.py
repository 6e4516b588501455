"""A loader as a process of its own, on a fake BigQuery of another process: `python -m … REST_URL WRITE_PORT`."""

import sys
import threading

from streams.logs import configure
from streams.settings import load_settings
from streams.warehouse.bigquery.warehouse import BigQueryWarehouse
from streams.warehouse.gathering import kinds
from streams.warehouse.loader import Loader
from streams.warehouse.loader_metrics import LoaderMetrics
from streams.warehouse.source import Source
from tests.fake_bigquery.world import fake_clients


def main(rest_url: str, write_port: str) -> None:
    """Load until somebody ends it."""
    settings = load_settings()
    configure(settings)
    warehouse = BigQueryWarehouse(fake_clients(rest_url, int(write_port)))
    loader = Loader(kinds(settings), warehouse, LoaderMetrics(), stop=threading.Event())
    loader.run(lambda: Source(settings, list(kinds(settings)), alone=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
