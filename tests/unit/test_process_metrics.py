"""What every process tells of itself, and the page that is made of all that is declared."""

import os
import platform
import time
import tracemalloc
from importlib.metadata import version
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from schemas.person_state import PersonState, pack
from schemas.send_memory import SendEntry, SendPlace
from streams.delivery.ledger import PartitionMemory
from streams.metrics import declared
from streams.metrics.metric import Declared
from streams.metrics.page import page
from streams.metrics.registry import own_registry, tell_standing
from streams.settings import Settings, load_settings
from streams.worker_gauges import ENTRY_BYTES

ENTRIES = 20_000


def told(settings: Settings, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one metric, by the values of its labels."""
    registry = own_registry()
    tell_standing(registry, settings, lambda: True)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        tuple(sample.labels.values()): sample.value for each in families if each.name == name for sample in each.samples
    }


def test_the_page_is_made_from_the_declarations() -> None:
    """`make docs` writes it."""
    assert (Path(__file__).parents[2] / "METRICS.md").read_text() == page()


def test_every_metric_belongs_to_a_process() -> None:
    """So that it stands on the page, and one test scrapes it."""
    names = {each.name for each in vars(declared).values() if isinstance(each, Declared)}

    assert names == {each.name for metrics in declared.OF_PROCESS.values() for each in metrics}


def test_what_runs_is_told() -> None:
    """By its version and Python's."""
    assert told(Settings(), "cio_build_info") == {(platform.python_version(), version("customerio-streams")): 1}


def test_a_secret_is_as_old_as_its_file(tmp_path: Path) -> None:
    """What comes from no file has no age, what is no secret neither; one that is gone meanwhile has none either."""
    for name in ("site", "key", "region"):
        (tmp_path / name).write_text("eu")
    os.utime(tmp_path / "site", (time.time() - 500,) * 2)
    settings = load_settings(
        {
            "CUSTOMERIO_SITE_ID_FILE": str(tmp_path / "site"),
            "CUSTOMERIO_TRACK_API_KEY_FILE": str(tmp_path / "key"),
            "CUSTOMERIO_REGION_FILE": str(tmp_path / "region"),
            "CUSTOMERIO_APP_API_KEY": "key",
        }
    )
    (tmp_path / "key").unlink()
    ages = told(settings, "cio_secret_age_seconds")

    assert ages.keys() == {("customerio_site_id",)}
    assert 500 <= ages["customerio_site_id",] < 600


def _person(memory: PartitionMemory, number: int) -> None:
    state = PersonState(fingerprint=os.urandom(16), version=number, sent_s=number)
    memory.people[f"{number:036}".encode()] = pack(state)


def _event(memory: PartitionMemory, number: int) -> None:
    if number % 500 == 0:
        memory.add_events(float(number), [os.urandom(16) for _ in range(500)])


def _send(memory: PartitionMemory, number: int) -> None:
    memory.sends.take(os.urandom(16), SendEntry("concluded", "message", SendPlace("t", number), "sent"), 1e9 + number)


@pytest.mark.parametrize(("kind", "add"), [("people", _person), ("events", _event), ("sends", _send)])
def test_the_ledgers_size_is_about_right(kind: str, add: object) -> None:
    """Dictionaries grow by leaps, so an entry takes more at one time than at another: half as much, or twice."""
    assert callable(add)
    memory = PartitionMemory()
    tracemalloc.start()
    for number in range(ENTRIES):
        add(memory, number)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 0.5 < size / ENTRIES / ENTRY_BYTES[kind] < 2
