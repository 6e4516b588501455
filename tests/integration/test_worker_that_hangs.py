"""Worker processes in which something hangs for ever: a SIGTERM ends them with 0 all the same, the watchdog with 1."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import confluent_kafka
import orjson
import pytest

from streams.kafka.clients import librdkafka_config
from streams.sandbox.faults import Faults
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.faults.fleet import EXTRA_S, READY_LINE, Fleet, Worker
from tests.faults.hanging import HANGS
from tests.integration import worker_process

DRAIN_S: Final = 0.5
START_S: Final = 60.0
POLL_S: Final = 0.05


@pytest.fixture
def stage(settings_factory: SettingsFactory, tmp_path: Path) -> Iterator["Stage"]:
    """Workers, each with topics and a group of its own."""
    stage = Stage(settings_factory, tmp_path)
    try:
        yield stage
    finally:
        for fleet in stage.fleets:
            fleet.abandon()


class Stage:
    """Starts workers, each the only one of a fleet."""

    def __init__(self, settings_factory: SettingsFactory, folder: Path) -> None:
        self.fleets: list[Fleet] = []
        self._settings_factory = settings_factory
        self._folder = folder

    def start(self, *command: str, url: str, **environment: str) -> tuple[Fleet, Worker]:
        """Start one, with a record for it to work on."""
        fleet = self.fleet(url=url, **environment)
        return fleet, fleet.start(command)

    def fleet(self, *, url: str, **environment: str) -> Fleet:
        """A fleet without a worker as yet."""
        settings = self._settings_factory(topic_partitions=1)
        publish(settings)
        own = worker_process.environment(settings, url, **{"DRAIN_S": str(DRAIN_S)} | environment)
        folder = self._folder / str(len(self.fleets))
        folder.mkdir()
        fleet = Fleet(environment=own, folder=folder, drain_s=DRAIN_S)
        self.fleets.append(fleet)
        return fleet


def publish(settings: Settings) -> None:
    """One user."""
    producer = confluent_kafka.Producer(librdkafka_config(settings))
    value = orjson.dumps({"type": "user.upserted", "user": {"id": "u-1"}})
    producer.produce(settings.topic("user-changes"), value, b"u-1", 0)
    assert producer.flush(START_S) == 0


def until_it_says(worker: Worker, *words: str) -> None:
    """Wait until the log has one of these."""
    deadline = time.monotonic() + START_S
    while not any(word in worker.log.read_text() for word in words):
        assert time.monotonic() < deadline, worker.last_words
        assert worker.process.poll() is None, worker.last_words
        time.sleep(POLL_S)


def said(worker: Worker, event: str) -> list[dict[str, object]]:
    """What it has logged of this kind."""
    lines = [orjson.loads(line) for line in worker.log.read_bytes().splitlines() if line.startswith(b"{")]
    return [line for line in lines if line["event"] == event]


def test_a_process_that_hangs_ends_in_time(stage: Stage) -> None:
    """On a SIGTERM with 0, be it a library's thread that hangs, the loop or who reads the log; by itself with 1."""
    with running_sandbox() as url, unheard_worker(stage.fleet(url=url)) as unheard:
        told = [stage.start("tests.faults.hanging", what, url=url) for what in ("journal", "loop")]
        soon = {"url": url, "STUCK_S": "3", "REQUEST_TIMEOUT_S": "1"}
        _, request = stage.start("tests.faults.hanging", "request", **soon)
        _, loop = stage.start("tests.faults.hanging", "loop", **soon)
        for fleet, worker in told:
            until_it_says(worker, HANGS)
            fleet.terminate(worker)
        unheard.terminate()

        assert unheard.wait(DRAIN_S + EXTRA_S) == 0
        for fleet, _ in told:
            fleet.close()
            assert fleet.violations == []
        assert [worker.process.wait(START_S) for worker in (request, loop)] == [1, 1]

    assert [(line["partition"], line["stage"]) for line in said(request, "lane stuck")] == [(0, "on the wire")]
    assert any("_never" in str(line["stack"]) for line in said(request, "stack"))
    assert any("_block" in str(line["stack"]) for line in said(loop, "stack"))


@contextlib.contextmanager
def unheard_worker(fleet: Fleet) -> Iterator["subprocess.Popen[bytes]"]:
    """Nobody reads its log any more: its next word blocks it for ever."""
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "streams", "worker"]
    environment = {**os.environ, **fleet.environment}
    with os.fdopen(reader, "rb") as log, subprocess.Popen(command, stderr=writer, env=environment) as process:
        assert any(READY_LINE in line for line in log)
        fill(writer)
        try:
            yield process
        finally:
            process.kill()
            os.close(writer)


def fill(pipe: int) -> None:
    """Leave no room in it for another word."""
    os.set_blocking(pipe, False)
    for block in (b"." * 4096, b"."):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(pipe, block)
    os.set_blocking(pipe, True)


def test_what_is_only_held_keeps_no_process(stage: Stage) -> None:
    """Customer.io has asked for five minutes: a SIGTERM does not wait for them, nor for the drain's deadline."""
    options = SandboxOptions(faults=Faults(rate=1, kinds=("503",), retry_after_s=300))
    with running_sandbox(options) as url:
        fleet, worker = stage.start("streams", "worker", url=url, DRAIN_S="30")
        until_it_says(worker, "asks us to wait")
        fleet.terminate(worker)
        code = worker.process.wait(START_S)

    assert code == 0
    assert time.monotonic() - worker.told_at < 5
    assert len(said(worker, "given up what is held")) == 1
