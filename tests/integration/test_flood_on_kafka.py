"""A flood of dead letters on a real Kafka: held, told, and let through by an operator or by a probe that passes."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.errors import StreamsError
from schemas.resume import Resume
from streams.dead_letters.letters import Letters
from streams.delivery import resumes
from streams.delivery.resumes import ANSWER_S, ResumeReader, write_resumes
from streams.kafka.clients import librdkafka_config
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration.test_cli_on_kafka import cio_streams
from tests.integration.troubled_stage import Stage, troubled_stage

RECORDS = 300
WAIT_S = 30.0
HELD = "held: a flood of dead letters"


def at_once(settings: Settings) -> Producer:
    """Whatever it is given before it is flushed is one batch, and so one chunk."""
    producer = Producer(librdkafka_config(settings) | {"linger.ms": 60_000})
    producer.list_topics(timeout=WAIT_S)  # else what comes first may leave alone, as soon as its partition is known
    return producer


def publish(stage: Stage, topic: str, value: bytes, count: int, *, partition: int = 0) -> None:
    """Put so many of the same on one partition."""
    for _ in range(count):
        stage.producer.produce(stage.settings.topic(topic), value, b"u-1", partition)
    assert stage.producer.flush(WAIT_S) == 0
    stage.published += count


def wait_until_held(stage: Stage) -> dict[str, Any]:
    """The line that says why."""
    stage.worker.wait_until_it_says(HELD, WAIT_S)
    return next(line for line in stage.worker.lines() if line["event"] == HELD)


def letters(settings: Settings) -> int:
    """How many there are."""
    with PartitionReader(settings) as reader:
        found = Letters(settings, reader)
        return sum(1 for partition in found.partitions() for _ in found.read(partition))


def test_a_flood_is_held_until_an_operator_lets_it_through(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """No letter is written, another topic goes on; then every record has one result, also after a restart."""
    settings = settings_factory()
    with troubled_stage(settings, tmp_path) as stage:
        stage.producer = at_once(settings)
        publish(stage, "user-changes", b'{"type": "user.upserted", "user": {"plan": "pro"}}', RECORDS)
        line = wait_until_held(stage)
        publish(stage, "domain-events", b'{"name": "clicked", "user_id": "u-1"}', 1, partition=1)
        stage.worker.wait_for(lambda: stage.outcomes()["delivered"] == 1, WAIT_S)

        changes = settings.topic("user-changes")
        assert stage.ready()["floods"] == {changes: {"reason": "malformed", "partitions": [0]}}
        assert (stage.metric("cio_flood_held"), stage.metric("cio_floods_total")) == (1, 1)
        assert (line["share"], line["reason"], line["detail"]) == (1.0, "malformed", "user.id: is missing")
        assert line["example"].startswith(f"{changes}/0/")
        assert letters(settings) == 0

        done = cio_streams(settings, "dlq", "resume", changes, "--for", "10m", "--json")
        assert (done.returncode, json.loads(done.stdout)["topics"]) == (0, [changes])
        stage.wait_until_concluded(WAIT_S)

        assert stage.outcomes() == {"malformed": RECORDS, "delivered": 1}
        assert letters(settings) == RECORDS
        assert (stage.ready()["floods"], stage.metric("cio_flood_held")) == ({}, 0)
        assert stage.worker.stop() == 0

    with troubled_stage(settings, tmp_path) as stage:  # it is told of what was said before it started
        publish(stage, "user-changes", b"{", RECORDS)
        stage.wait_until_concluded(WAIT_S)

        assert letters(settings) == 2 * RECORDS
        assert not stage.worker.said(HELD)


def test_a_flood_that_is_mended_goes_on_by_itself(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Customer.io refuses everything for a while: a probe finds out when it is over, and nothing is dead."""
    settings = settings_factory(topic_partitions=1)
    with troubled_stage(settings, tmp_path) as stage:
        stage.producer = at_once(settings)
        stage.fault(rate=1.0, kinds=["422"], paths=["/api/v2/"])
        stage.publish(RECORDS)
        line = wait_until_held(stage)
        stage.fault()
        stage.wait_until_concluded(WAIT_S)

        assert line["reason"] == "rejected"
        assert line["advice"].endswith(f"cio-streams dlq resume {settings.topic('user-changes')}")
        assert stage.outcomes() == {"delivered": RECORDS}
        assert stage.worker.said("a probe was no dead letter any more")


def test_a_held_lane_does_not_delay_the_end(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """SIGTERM ends the worker at once, and the records are there for the next."""
    settings = settings_factory()
    with troubled_stage(settings, tmp_path, DRAIN_S="30") as stage:
        stage.producer = at_once(settings)
        publish(stage, "user-changes", b"{", RECORDS)
        wait_until_held(stage)

        assert stage.worker.stop() == 0
        assert stage.outcomes() == {}


def test_a_word_is_found_among_decisions_on_letters(settings_factory: SettingsFactory) -> None:
    """And only what is new is read the next time; the last word on a topic counts."""
    settings = settings_factory()
    reader, topic = ResumeReader(settings), settings.topic("customerio-dlq-decisions")
    producer = at_once(settings)
    for offset in range(1_000):
        producer.produce(topic, b'{"decision": "discarded"}', b"0/%d" % offset, 0)
    assert producer.flush(WAIT_S) == 0
    before = dict(reader.read())
    said = [cio_streams(settings, "dlq", "resume", "--for", each, "--yes", "--json") for each in ("1h", "2h")]
    untils = [json.loads(each.stdout)["until"] for each in said]
    after = reader.read()

    assert before == {}
    assert set(after) == {
        settings.topic(name)
        for name in ("user-changes", "domain-events", "transactional-messages", "broadcast-triggers")
    }
    assert untils == sorted(untils)
    assert dict(after) == dict(ResumeReader(settings).read())
    assert reader._next == 1_000 + 8


def test_what_takes_long_to_read_is_read_in_several_looks(
    settings_factory: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a topic that was made anew is read from its beginning."""
    settings = settings_factory()
    word = Resume(until="2026-11-22T11:00:00Z", at="2026-11-22T10:00:00Z", by="ada")
    write_resumes(settings, dict.fromkeys(["user-changes", "domain-events"], word))
    reader, anew = ResumeReader(settings), ResumeReader(settings)
    anew._next = 1_000
    monkeypatch.setattr(resumes, "READ_S", 0.0)
    looks = [len(reader.read()) for _ in range(3)]

    assert looks == [1, 2, 2]
    assert len(anew.read()) == 1


@pytest.mark.parametrize("is_reachable", [True, False])
def test_a_worker_that_is_told_nothing_is_not_kept(settings_factory: SettingsFactory, *, is_reachable: bool) -> None:
    """Without the topic, or without Kafka, it hears so soon, and asks again later."""
    settings = settings_factory(create=False)
    reader = ResumeReader(settings if is_reachable else settings.with_changes(kafka_bootstrap_servers="127.0.0.1:1"))
    started = time.monotonic()
    with pytest.raises(StreamsError):
        reader.read()

    assert time.monotonic() - started < ANSWER_S + 2


@pytest.mark.parametrize("is_reachable", [True, False])
def test_what_cannot_be_written_is_told_in_one_line(settings_factory: SettingsFactory, *, is_reachable: bool) -> None:
    """Without the topic, or without Kafka."""
    settings = settings_factory(create=False)
    servers = settings.bootstrap if is_reachable else "127.0.0.1:1"
    done = cio_streams(settings, "dlq", "resume", "--yes", KAFKA_BOOTSTRAP_SERVERS=servers)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert ("topics create" in done.stderr, servers in done.stderr) == (is_reachable, not is_reachable)
