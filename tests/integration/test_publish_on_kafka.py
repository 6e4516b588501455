"""`cio-streams publish` in a subprocess, on a real Kafka."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka.partitioner import DefaultPartitioner  # Java's way of hashing keys, independent of librdkafka's
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from streams.kafka.clients import librdkafka_config
from streams.kafka.topic_plan import BROADCAST_TRIGGERS, DOMAIN_EVENTS, USER_CHANGES
from streams.settings import Settings
from tests.conftest import SettingsFactory

PARTITIONS = 4


def run_publish(settings: Settings, *arguments: str, lines: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command as a publisher does, `lines` on its standard input."""
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "TOPIC_PREFIX": settings.topic_prefix,
    }
    command = [sys.executable, "-m", "streams", "publish", *arguments]
    return subprocess.run(command, input=lines, env=environment, capture_output=True, check=False, timeout=60)


def read_all(settings: Settings, topic: str, *, count: int) -> Sequence[Message]:
    """Read `count` records of a topic from its beginning."""
    consumer = Consumer(librdkafka_config(settings, **{"group.id": "nobody", "enable.auto.commit": False}))
    places = [TopicPartition(settings.topic(topic), number, OFFSET_BEGINNING) for number in range(PARTITIONS)]
    consumer.assign(places[:1] if topic == BROADCAST_TRIGGERS else places)
    records: list[Message] = []
    while len(records) < count:
        found = consumer.consume(count - len(records), timeout=20)
        assert found, f"only {len(records)} of {count} records arrived"
        records.extend(found)
    consumer.close()
    return records


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give topics of our own, with some partitions."""
    return settings_factory(topic_partitions=PARTITIONS)


def test_a_file_is_published_and_keyed_like_java(settings: Settings, tmp_path: Path) -> None:
    """Each record is on the partition that a Java publisher would choose, its bytes as they were."""
    lines = [json.dumps({"type": "user.upserted", "user": {"id": f"u-{number}"}}) for number in range(300)]
    (tmp_path / "changes.jsonl").write_text("\n".join(lines))

    done = run_publish(settings, USER_CHANGES, str(tmp_path / "changes.jsonl"))

    records = read_all(settings, USER_CHANGES, count=len(lines))
    partitions = list(range(PARTITIONS))
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == f"{settings.topic(USER_CHANGES)}: 300 written\n"
    assert sorted(lines) == sorted((record.value() or b"").decode() for record in records)
    for record in records:
        assert record.key() == json.loads(record.value() or b"")["user"]["id"].encode()
        assert record.partition() == DefaultPartitioner()(record.key(), partitions, partitions)


def test_bad_records_are_sent_as_they_are(settings: Settings) -> None:
    """What is not JSON goes without key, byte for byte; empty lines are skipped; the summary counts all of it."""
    lines = b'not json\n\n{"name": "n", "anonymous_id": "a-1"}\r\n\xff\xfe'

    done = run_publish(settings, DOMAIN_EVENTS, "-", "--json", lines=lines)

    records = read_all(settings, DOMAIN_EVENTS, count=3)
    assert json.loads(done.stdout) == {
        "topic": settings.topic(DOMAIN_EVENTS),
        "written": 3,
        "failed": 0,
        "without_key": 2,
        "empty": 1,
        "is_interrupted": False,
        "errors": [],
    }
    assert {(record.key(), record.value()) for record in records} == {
        (None, b"not json"),
        (None, b"\xff\xfe"),
        (b"a-1", b'{"name": "n", "anonymous_id": "a-1"}'),
    }


def test_what_kafka_refuses_is_reported_and_the_rest_is_written(settings: Settings) -> None:
    """A line beyond the topic's limit fails alone, is named by its number, and makes the exit code 1."""
    lines = b'{"broadcast_id": 1}\n{"broadcast_id": 2, "data": "%s"}\n{"broadcast_id": 3}\n' % (b"x" * 2_000_000)

    done = run_publish(settings, BROADCAST_TRIGGERS, "-", lines=lines)

    assert done.returncode == 1
    assert done.stdout.decode().endswith(": 2 written, 1 failed\n")
    assert done.stderr.decode().startswith("1 of 3 records was not written (line 2: ")
    assert [record.key() for record in read_all(settings, BROADCAST_TRIGGERS, count=2)] == [b"1", b"3"]


def test_without_topics_it_says_what_to_run(settings_factory: SettingsFactory) -> None:
    """Nothing is created by the way."""
    settings = settings_factory(create=False)

    done = run_publish(settings, USER_CHANGES, "-", lines=b"{}")

    assert done.returncode == 1
    assert b"cio-streams topics create" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_kafka_it_fails_in_one_line(settings_factory: SettingsFactory) -> None:
    """The address that was tried is named."""
    settings = settings_factory(create=False).with_changes(kafka_bootstrap_servers="127.0.0.1:1")

    done = run_publish(settings, USER_CHANGES, "-", lines=b"{}")

    assert done.returncode == 1
    assert b"127.0.0.1:1" in done.stderr
    assert len(done.stderr.splitlines()) == 1
