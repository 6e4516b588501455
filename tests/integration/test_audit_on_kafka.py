"""`cio-streams audit` in a process of its own, on a real Kafka: what it finds, and what is no fault."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from streams.kafka.clients import librdkafka_config
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration import worker_process
from tests.integration.recorded_history import History, run, run_json, sources

EVENTS = "domain-events"
CHANGES = "user-changes"
RESULTS = "customerio-results"
NUMBERS = ("inputs", "results", "missing", "several", "unprovable", "results_without_input", "unfounded_results")


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give topics of our own."""
    return settings_factory()


@pytest.fixture
def history(settings: Settings) -> History:
    """Give what is written there by hand."""
    return History(settings)


def numbers(data: dict[str, Any]) -> dict[str, int]:
    """Those that are not 0."""
    return {name: data[name] for name in NUMBERS if data[name]}


def ago_ms(hours: int) -> int:
    """So many hours ago."""
    return time.time_ns() // 1_000_000 - hours * 3_600_000


def test_a_workers_results_are_proven(settings: Settings, tmp_path: Path) -> None:
    """Delivered, duplicate and dead ones; each has one result, and the dead one's letter is open."""
    producer = Producer(librdkafka_config(settings))
    change = b'{"type": "user.upserted", "user": {"id": "u-1"}}'
    for topic, key, value in [
        (CHANGES, b"u-1", change),
        (CHANGES, b"u-1", change),
        (CHANGES, b"u-1", b"{"),
        (EVENTS, b"u-2", b'{"name": "n", "user_id": "u-2"}'),
    ]:
        producer.produce(settings.topic(topic), value, key)
    producer.flush()
    with (
        running_sandbox(SandboxOptions()) as url,
        worker_process.WorkerProcess(worker_process.environment(settings, url), tmp_path / "log") as worker,
    ):
        worker.wait_for(lambda: run_json(settings, "audit")[1]["ok"], 40)
        worker.stop()

    code, data = run_json(settings, "audit")

    assert (0, True, 4, 4) == (code, data["ok"], data["inputs"], data["results"])
    assert {"delivered": 2, "duplicate": 1, "superseded": 0, "skipped": 0, "dead": 1} == data["outcomes"]
    assert (1, 0) == (data["open_letters"], data["parked_letters"])
    inputs = [data["topics"][settings.topic(name)]["inputs"] for name in (CHANGES, EVENTS)]
    assert [3, 1] == inputs


def test_a_gap_and_a_double_are_found_and_nothing_else(settings: Settings, history: History) -> None:
    """On any partition and topic, a second result also long after the first; exit 1 with one line on stderr."""
    history.publish(EVENTS, 20)
    history.publish(EVENTS, 5, partition=1)
    history.publish(CHANGES, 5)
    history.commit(EVENTS, 15)
    history.conclude(sources(EVENTS, [number for number in range(19) if number != 7]))
    history.conclude(sources(EVENTS, range(5), partition=1))
    history.conclude([*sources(CHANGES, range(5)), *sources(EVENTS, [3])])

    plain = run(settings, "audit")
    code, data = run_json(settings, "audit")

    assert (1, 1) == (plain.returncode, code)
    assert {"inputs": 30, "results": 29, "missing": 2, "several": 1} == numbers(data)
    name = settings.topic(EVENTS)
    assert [
        {"kind": "missing", "topic": name, "partition": 0, "offset": 7, "results": 0, "beyond_committed": False},
        {"kind": "missing", "topic": name, "partition": 0, "offset": 19, "results": 0, "beyond_committed": True},
        {"kind": "several", "topic": name, "partition": 0, "offset": 3, "results": 2, "beyond_committed": False},
    ] == data["violations"]
    assert ["missing:", f"  {name}/0/7", f"  {name}/0/19  not yet worked on"] == plain.stdout.splitlines()[-6:-3]
    assert [
        "2 of 30 records have no result (1 of them no worker has come to yet); 1 has more than one result"
    ] == plain.stderr.splitlines()


def test_rolled_back_records_and_markers_are_no_gaps(settings: Settings, history: History) -> None:
    """Nor is a result that was rolled back a second one."""
    history.publish(EVENTS, 3)  # 0, 1, 2; 3 is the transaction's marker
    history.write(EVENTS, [{"value": b"{}"}] * 3, aborted=True)  # 4, 5, 6, and 7 the marker
    history.publish(EVENTS, 2)  # 8, 9
    history.conclude(sources(EVENTS, [0, 1, 2, 8, 9]))
    history.write(RESULTS, [{"value": history.result(source)} for source in sources(EVENTS, [0, 1])], aborted=True)

    code, data = run_json(settings, "audit")
    history.conclude(sources(EVENTS, [4]))
    plain, (worse, told) = run(settings, "audit"), run_json(settings, "audit")

    assert (1, {"inputs": 5, "results": 6, "unfounded_results": 1}) == (worse, numbers(told))
    assert ["unfounded"] == [each["kind"] for each in told["violations"]]
    assert ["1 offset has a result and no record: it was rolled back, or never there"] == plain.stderr.splitlines()

    assert (0, {"inputs": 5, "results": 5}) == (code, numbers(data))


def test_transactions_that_are_still_open(settings: Settings, history: History) -> None:
    """A worker's is waited for; what comes after an upstream's is nobody's turn yet."""
    history.publish(EVENTS, 3)
    history.commit(EVENTS, 3)
    upstream, worker = History(settings, "upstream"), History(settings, "worker")
    upstream.begin(EVENTS, [{"value": b"{}"}])
    history.publish(EVENTS, 1)
    worker.begin(RESULTS, [{"value": history.result(source)} for source in sources(EVENTS, range(3))])
    ending = threading.Timer(1.5, worker.end)
    ending.start()

    code, data = run_json(settings, "audit")
    ending.join()
    upstream.end()

    assert (0, {"inputs": 3, "results": 3}) == (code, numbers(data))


def test_what_retention_has_taken_is_no_fault(settings: Settings, history: History) -> None:
    """A result may outlive its record; a record may outlive its result, and then nothing can be proven of it."""
    history.publish(CHANGES, 10)
    history.publish(EVENTS, 10)
    history.conclude(sources(EVENTS, range(4)), processed_at="1")
    history.conclude(sources(EVENTS, [6, 4, 5]), processed_at="2")
    history.conclude(sources(EVENTS, [9, 7]), processed_at="3")
    history.conclude(sources(CHANGES, range(10)), processed_at="4")
    history.delete_before(CHANGES, 5)
    history.delete_before(RESULTS, 6)  # 0 to 3, 4 the marker, and of the second chunk that of 6

    code, data = run_json(settings, "audit")

    assert 1 == code
    assert {
        "inputs": 15,
        "results": 14,
        "missing": 1,
        "unprovable": 5,
        "results_without_input": 5,
    } == numbers(data)
    assert [8] == [each["offset"] for each in data["violations"]]


def test_without_results_left_time_tells_what_can_be_proven(settings: Settings, history: History) -> None:
    """A record that is newer than the oldest result left of any topic must have its own."""
    history.publish(CHANGES, 1)
    history.publish(EVENTS, 2, timestamp=ago_ms(3))
    history.publish(EVENTS, 1)
    history.conclude(sources(EVENTS, [0, 1]))
    history.write(RESULTS, [{"value": history.result((CHANGES, 0, 0)), "timestamp": ago_ms(2)}])
    history.delete_before(RESULTS, 3)

    code, data = run_json(settings, "audit")

    assert 1 == code
    assert {"inputs": 4, "results": 1, "missing": 1, "unprovable": 2} == numbers(data)


def test_topics_and_time_narrow_it(settings: Settings, history: History) -> None:
    """By the record's own Kafka timestamp; its result is found wherever it lies."""
    history.publish(CHANGES, 3)
    history.publish(EVENTS, 2, timestamp=1_000_000)
    history.publish(EVENTS, 2)
    history.conclude(sources(EVENTS, [3, 4]))
    history.bury((EVENTS, 0, 3))

    of_changes = run_json(settings, "audit", "--topic", CHANGES, "--topic", CHANGES)
    of_late_events = run_json(settings, "audit", "--topic", EVENTS, "--since", "1h")
    of_events = run_json(settings, "audit", "--topic", EVENTS)

    assert (1, {"inputs": 3, "missing": 3}) == (of_changes[0], numbers(of_changes[1]))
    assert (0, {"inputs": 2, "results": 2}) == (of_late_events[0], numbers(of_late_events[1]))
    assert (1, {"inputs": 4, "results": 2, "missing": 2}) == (of_events[0], numbers(of_events[1]))
    assert (0, 1) == (of_changes[1]["open_letters"], of_events[1]["open_letters"])


def test_a_result_from_before_its_records_time_is_found(settings: Settings, history: History) -> None:
    """Somebody's clock was wrong by more than we allow for."""
    history.publish(EVENTS, 2)
    history.write(RESULTS, [{"value": history.result((EVENTS, 0, 0)), "timestamp": ago_ms(50)}])
    history.conclude(sources(EVENTS, [1]))

    code, data = run_json(settings, "audit", "--since", "10m")

    assert (0, {"inputs": 2, "results": 2}) == (code, numbers(data))


def test_without_topics_it_says_what_to_run(settings_factory: SettingsFactory) -> None:
    """In one line."""
    done = run(settings_factory(create=False), "audit")
    (line,) = done.stderr.splitlines()

    assert (1, "") == (done.returncode, done.stdout)
    assert "cio-streams topics create" in line


def test_without_kafka_it_fails_in_one_line(settings_factory: SettingsFactory) -> None:
    """The address that was tried is named."""
    settings = settings_factory(create=False).with_changes(kafka_bootstrap_servers="127.0.0.1:1")

    for command in (["audit"], ["why", "user-changes/0/0"]):
        done = run(settings, *command)
        (line,) = done.stderr.splitlines()

        assert (1, "") == (done.returncode, done.stdout)
        assert "127.0.0.1:1" in line


@pytest.mark.parametrize("what", ["a second result elsewhere", "no result"])
def test_what_stands_among_the_results_and_does_not_belong_there_disproves(
    settings_factory: SettingsFactory, what: str
) -> None:
    """A second result on another partition, or what cannot be read, may be a record's second."""
    settings = settings_factory()
    history = History(settings)
    history.publish(CHANGES, 1)
    history.commit(CHANGES, 1)
    history.conclude([(CHANGES, 0, 0)])
    value = b"?" if what == "no result" else history.result((CHANGES, 0, 0))
    history.write(RESULTS, [{"value": value, "partition": 1}])
    done = run(settings, "audit", "--topic", settings.topic(CHANGES))
    others = run(settings, "audit", "--topic", EVENTS)

    assert 1 == done.returncode
    assert ("is no result" if what == "no result" else "another partition") in done.stderr
    assert what == "no result" or 0 == others.returncode
