"""Who is reached by `WAREHOUSE=bigquery:…`, with what, and who is not made to wait for it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigError, UnavailableError
from streams.settings import Settings
from streams.warehouse.bigquery.connect import Dataset
from streams.warehouse.engines import open_reader, open_warehouse
from tests.fake_bigquery.world import bigquery_world


def test_a_dataset_is_named_by_project_and_name() -> None:
    """A project of a domain has a dot of its own."""
    dataset = Dataset.named("example.com:crm-1.events")

    assert ("example.com:crm-1", "events") == (dataset.project, dataset.name)
    assert "projects/example.com:crm-1/datasets/events/tables/t" == dataset.parent("t")


@pytest.mark.parametrize("open_side", [open_warehouse, open_reader])
def test_without_credentials_it_is_said_which_setting_is_missing(
    open_side: Any,  # noqa: ANN401 - either side
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """One line, before anything is sent."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))

    with pytest.raises(ConfigError, match=r"WAREHOUSE: no credentials for BigQuery .*set GOOGLE_APPLICATION_CREDENT"):
        open_side(Settings(warehouse="bigquery:p-1.crm"))


def test_a_reader_of_nothing_says_who_makes_it() -> None:
    """As with a file that is not there."""
    with bigquery_world() as world, pytest.raises(UnavailableError, match="`cio-streams warehouse` makes one"):
        world.reader().read("webhooks", limit=1)


def test_who_does_not_use_it_does_not_import_it() -> None:
    """Commands start as fast as before."""
    code = (
        "import sys, streams.cli, streams.warehouse.engines;"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in {'google', 'grpc', 'requests'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == found.stdout.strip()
