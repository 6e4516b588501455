"""The real BigQuery, for those who have one: a dataset of its own for each test, beside `BIGQUERY_TEST_DATASET`."""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from google.cloud.bigquery import Dataset as BigQueryDataset

from streams.warehouse.bigquery.connect import Clients, Dataset, connect

NAME: Final = os.environ.get("BIGQUERY_TEST_DATASET", "")
IS_SET: Final = bool(NAME and os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"))
PATIENCE: Final = 20.0


def patient(pause_s: float) -> None:
    """BigQuery's write API may take a minute to know a new table."""
    time.sleep(pause_s * PATIENCE)


@contextmanager
def real_dataset() -> Iterator[Dataset]:
    """Make one in the same place as the one that is named; delete it with all that is in it."""
    near = Dataset.named(NAME)
    made = Dataset(near.project, f"{near.name}_{uuid.uuid4().hex}")
    clients: Clients = connect(near)
    wanted = BigQueryDataset(str(made))
    wanted.location = clients.rest.get_dataset(str(near)).location
    clients.rest.create_dataset(wanted)
    try:
        yield made
    finally:
        clients.rest.delete_dataset(str(made), delete_contents=True)
        clients.close()
