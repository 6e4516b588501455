"""A request that hangs while a second worker joins: others stand still for a bounded time, and nothing is lost."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import confluent_kafka
import httpx
import orjson

from streams.kafka.clients import librdkafka_config
from streams.sandbox.faults import Faults
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.faults import evidence
from tests.faults.fleet import READY_LINE, Fleet
from tests.integration.worker_process import environment

DRAIN_S: Final = 2.0
STAND_STILL_S: Final = DRAIN_S + 7
HANG_S: Final = 90.0
WAIT_S: Final = 60.0
PARTITIONS: Final = 3


def test_one_hung_request_holds_nobody_else_up(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Its lane is abandoned at the drain's deadline, and its records are delivered by whoever owns it then."""
    settings = settings_factory(topic_partitions=PARTITIONS)
    hangs = Faults(rate=1, kinds=("hang",), containing='"hangs"', count=1, hang_s=HANG_S)
    with running_sandbox(SandboxOptions(faults=hangs)) as url, workers(settings, url, tmp_path) as fleet:
        first = fleet.start()
        until(lambda: first.has_worked)
        publish(settings, 0, "hangs")
        until(lambda: bool(httpx.get(f"{url}/sandbox/state", trust_env=False).json()["faults"]))
        with traffic(settings, partitions=(1, 2)) as published:
            time.sleep(1)
            second = fleet.start()
            until(lambda: second.has_worked and first.log.read_bytes().count(READY_LINE) == 2)
            time.sleep(2)
        until(lambda: len(results(settings)) == 1 + published.total())
        fleet.close()

    assert fleet.violations == []
    times = defaultdict[int, list[float]](list)
    for result in results(settings):
        times[result["source"]["partition"]].append(datetime.fromisoformat(result["processed_at"]).timestamp())

    assert {partition: len(each) for partition, each in times.items()} == {0: 1, **published}
    assert max(after - before for p in (1, 2) for before, after in pairwise(sorted(times[p]))) < STAND_STILL_S


def publish(settings: Settings, partition: int, user_id: str) -> None:
    """One user."""
    producer = confluent_kafka.Producer(librdkafka_config(settings))
    value = orjson.dumps({"type": "user.upserted", "user": {"id": user_id}})
    producer.produce(settings.topic("user-changes"), value, user_id.encode(), partition)
    assert producer.flush(WAIT_S) == 0


@contextmanager
def traffic(settings: Settings, *, partitions: tuple[int, ...]) -> Iterator[Counter[int]]:
    """Publish steadily meanwhile; how many on each partition."""
    ends, published = threading.Event(), Counter[int]()

    def run() -> None:
        while not ends.wait(0.1):
            for partition in partitions:
                publish(settings, partition, f"u-{partition}-{published[partition]}")
                published[partition] += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield published
    finally:
        ends.set()
        thread.join()


def results(settings: Settings) -> list[dict[str, Any]]:
    """All of them."""
    config, topic = librdkafka_config(settings), settings.topic("customerio-results")
    return [orjson.loads(each.value or b"{}") for each in evidence.read_committed(config, topic, PARTITIONS)]


@contextmanager
def workers(settings: Settings, url: str, folder: Path) -> Iterator[Fleet]:
    """None as yet."""
    own = environment(settings, url, REQUEST_TIMEOUT_S=str(HANG_S), DRAIN_S=str(DRAIN_S))
    fleet = Fleet(environment=own, folder=folder, drain_s=DRAIN_S)
    try:
        yield fleet
    finally:
        fleet.abandon()


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.2)
