"""`dlq watch` on a real Kafka: it tells what `dlq stats` counts, whatever is decided and deleted meanwhile."""

import signal
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from confluent_kafka import Producer
from prometheus_client import generate_latest

from agents.steps.report import iso_utc
from schemas.decision import Decision
from streams.clock import now_ms
from streams.dead_letters.watch_metrics import watch_registry
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.kafka.deletion import delete_before
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration.dlq_stage import dlq, letter_of, move_letters, write_letters
from tests.integration.test_dlq_discard import decide
from tests.integration.watch_stage import SOON_S, agrees, letters, opened, until, watching
from tests.integration.worker_process import WorkerProcess, environment
from tests.scraped import is_as_declared
from tests.unit.input_records import InputRecord

END_S: Final = 2.5


def take_back(settings: Settings, name: bytes) -> None:
    """Write a tombstone over a decision on a letter of partition 0."""
    producer = Producer(librdkafka_config(settings))
    producer.produce(settings.topic("customerio-dlq-decisions"), None, name, 0)
    assert producer.flush(SOON_S) == 0


def test_it_agrees_with_stats(settings_factory: SettingsFactory) -> None:
    """After deaths, replays, discards, letters that were written anew, and ones that Kafka has deleted."""
    settings = settings_factory()
    letters(settings, 6)
    with watching(settings) as watch:
        agrees(watch, settings, total=6)
        letters(settings, 4, topic="domain-events", first=6)
        assert dlq(settings, "discard", "0/0", "--yes", "--reason-note", "test").returncode == 0
        assert dlq(settings, "replay", "1/0", "--yes").returncode == 0
        agrees(watch, settings, total=8)
        move_letters(settings, 0)
        letters(settings, 1, first=10)
        agrees(watch, settings, total=9)
        delete_before(connected_admin(settings), {(settings.topic("customerio-dlq"), 1): 2})
        agrees(watch, settings, total=8)
    with watching(settings) as anew:
        agrees(anew, settings, total=8)


def test_what_is_taken_back_is_open_again(settings_factory: SettingsFactory) -> None:
    """Nothing of ours does that, but somebody may with a tool of Kafka's."""
    settings = settings_factory()
    letters(settings, 1)
    with watching(settings) as watch:
        decide(settings, "0/0", Decision(decision="discarded", at=iso_utc(now_ms()), by="eve"))
        until(lambda: opened(watch) == {} and watch.standing is not None)
        take_back(settings, b"0/0")
        agrees(watch, settings, total=1)


def test_memory_is_bounded(settings_factory: SettingsFactory) -> None:
    """More letters than may be remembered are not read, and its lag says so, until some are deleted."""
    settings = settings_factory()
    letters(settings, 4)
    with watching(settings, letters_max=4) as watch:
        until(lambda: watch.waiting is not None and "more than 4 dead letters" in watch.waiting)
        letters(settings, 4, first=4)
        place = settings.topic("customerio-dlq")
        until(lambda: watch.behind[place] > 0)
        delete_before(connected_admin(settings), {(place, 0): 3, (place, 1): 3})
        agrees(watch, settings, total=2)


def test_labels_are_those_that_are_declared(settings_factory: SettingsFactory) -> None:
    """Every kind that there can be is told from the start; a topic that is none of ours counts as `other`."""
    settings = settings_factory()
    record = InputRecord(topic="someone@example.com", value=b"{")
    write_letters(settings, [letter_of(record)])
    with watching(settings) as watch:
        registry = watch_registry(watch, settings)
        assert "cio_dlq_open{" not in generate_latest(registry).decode()
        until(lambda: watch.standing is not None)
        page = generate_latest(registry).decode()

    assert 'cio_dlq_open{reason="rejected",topic="other"} 1.0' in page
    assert page.count("cio_dlq_open{") == page.count("cio_dlq_oldest_seconds{") == 25
    assert "example.com" not in page


def test_it_is_a_process(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """With probes and exactly the metrics that are declared, and it ends at once when it is told to."""
    settings = settings_factory()
    letters(settings, 2)
    own = environment(settings, "http://127.0.0.1:1", DLQ_WATCH_PORT="0")
    with WorkerProcess(own, tmp_path / "log", command=("streams", "dlq", "watch")) as process:
        process.wait_until_it_says("all dead letters are read")
        url = next(line["url"] for line in process.lines() if line["event"] == "health and metrics")
        ready, live, page = (_get(f"{url}/{path}") for path in ("readyz", "livez", "metrics"))
        process.send(signal.SIGTERM)
        seconds = process.wait_for(lambda: process.code is not None, END_S)
        code = process.code

    assert '"begun":true' in ready
    assert "idle_s" in live
    assert is_as_declared(page, "dlq watch")
    assert (code, seconds < END_S) == (0, True)


def _get(url: str) -> str:
    with urlopen(url) as page:  # noqa: S310 - our own address
        return str(page.read().decode())
