"""Kafka's own faults: a worker waits with a clear line and a quiet CPU, and afterwards every record has one result."""

import contextlib
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka import admin as kafka_admin

from streams.kafka import topics
from streams.kafka.clients import connected_admin
from streams.local_kafka.broker import LocalKafka
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration import worker_in_process as process
from tests.integration.troubled_stage import Stage, troubled_stage

DOWN_S = 25.0  # longer than a session and a transaction may last
QUIET_CPU = 0.25  # of a core, on a shared machine; spinning takes all of one
QUIET_LINES_PER_S = 4.0
RECOVERY_S = 40.0


@pytest.fixture(scope="module")
def broker() -> Iterator[LocalKafka]:
    """Give a broker of our own, which may be killed."""
    with LocalKafka() as running:
        yield running


@contextlib.contextmanager
def stage_on(broker: LocalKafka, folder: Path, **environ: str) -> Iterator[Stage]:
    """Give a worker that has concluded something."""
    prefix = f"k{uuid.uuid4().hex[:8]}."
    settings = Settings(
        kafka_bootstrap_servers=broker.bootstrap, topic_prefix=prefix, app_id=f"{prefix}app", topic_partitions=2
    )
    topics.create(connected_admin(settings), settings)
    with troubled_stage(settings, folder, **environ) as stage:
        stage.publish(50)
        stage.wait_until_concluded(20)
        yield stage


def is_quiet(stage: Stage, seconds: float) -> None:
    """It neither spins nor floods the log."""
    load = stage.worker.load(seconds)

    assert load.cpu < QUIET_CPU
    assert load.lines_per_s < QUIET_LINES_PER_S, load.busiest


def set_largest(settings: Settings, topic: str, message_bytes: int) -> None:
    """Change how large a message of this topic may be."""
    operation = kafka_admin.AlterConfigOpType.SET  # type: ignore[attr-defined]  # exported, but not to type checkers
    entry = kafka_admin.ConfigEntry("max.message.bytes", str(message_bytes), incremental_operation=operation)  # type: ignore[attr-defined]  # as above
    resource = kafka_admin.ConfigResource("topic", settings.topic(topic), incremental_configs=[entry])  # type: ignore[attr-defined]  # as above
    admin = connected_admin(settings)  # kept: without it nobody answers
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


def test_a_broker_that_is_away_for_long_is_waited_for(broker: LocalKafka, tmp_path: Path) -> None:
    """Killed in the middle of the work, and back with its data: nothing lost, no second result."""
    with stage_on(broker, tmp_path) as stage:
        stage.fault(latency_ms=300)
        stage.publish(400)
        time.sleep(0.5)
        broker.kill()
        is_quiet(stage, DOWN_S)
        broker.start()
        stage.fault()
        stage.publish(50)
        stage.wait_until_concluded(RECOVERY_S)

        assert stage.outcomes() == {"delivered": stage.published}


@pytest.mark.parametrize("topic", ["customerio-results", "customerio-ledger-people"])
def test_a_missing_topic_is_waited_for(broker: LocalKafka, tmp_path: Path, topic: str) -> None:
    """Deleted under the worker, which says so and stays calm; once it is there again the work goes on."""
    with stage_on(broker, tmp_path) as stage:
        admin = connected_admin(stage.settings)
        lost = stage.published if topic == "customerio-results" else 0  # with the topic, what it held
        for future in admin.delete_topics([stage.settings.topic(topic)], operation_timeout=10).values():
            future.result()
        time.sleep(1)
        stage.publish(50)
        stage.worker.wait_until_it_says("transaction failed, trying again", RECOVERY_S)
        is_quiet(stage, 5)
        topics.create(admin, stage.settings)
        stage.wait_until_concluded(RECOVERY_S + DOWN_S)

        assert stage.outcomes() == {"delivered": stage.published - lost}


def is_told(line: dict[str, object], topic: str) -> bool:
    """Whether a warning or worse names the topic."""
    return line.get("level") in {"warning", "error"} and topic in str(line)


def test_a_topic_that_takes_nothing_is_waited_for(broker: LocalKafka, tmp_path: Path) -> None:
    """Its largest message is too small for a result: told with the topic's name, mended while the worker waits."""
    with stage_on(broker, tmp_path) as stage:
        set_largest(stage.settings, "customerio-results", 100)
        stage.publish(50)
        stage.worker.wait_for(
            lambda: any(is_told(line, "customerio-results") for line in stage.worker.lines()), RECOVERY_S
        )
        is_quiet(stage, 5)
        set_largest(stage.settings, "customerio-results", 1_000_000)
        stage.wait_until_concluded(RECOVERY_S + DOWN_S)

        assert stage.outcomes() == {"delivered": stage.published}


async def test_a_fenced_producer_is_replaced(settings_factory: SettingsFactory) -> None:
    """Somebody else has taken its transactional id: the worker goes on with a new producer, and loses nothing."""
    settings = settings_factory()
    process.publish_malformed(settings, 10)
    async with process.running_app(settings) as worker:
        await process.until(lambda: sum(process.concluded(settings).values()) == 20)
        config = worker.delivery.journal._writer._config  # type: ignore[attr-defined]  # the real one has it
        thief = Producer(config)
        thief.init_transactions(10)
        process.publish_malformed(settings, 10)
        await process.until(lambda: sum(process.concluded(settings).values()) == 40)

        assert max(process.concluded(settings).values()) == 1
        assert not worker.crashed
