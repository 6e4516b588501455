"""An input topic goes away, or a dead letter does not fit: the worker says so, waits, and passes nothing over."""

import random
import time
from pathlib import Path
from typing import Final

from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from streams.kafka import topics
from streams.kafka.clients import connected_admin
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.integration.troubled_stage import Stage, troubled_stage
from tests.integration.worker_process import WorkerProcess, environment

INPUT: Final = "user-changes"
WAIT_S: Final = 40.0
QUIET_S: Final = 4.0
QUIET_CPU: Final = 0.25  # of a core, on a shared machine; spinning takes all of one
LETTER_BYTES: Final = 5_000


def delete(settings: Settings, topic: str) -> None:
    """And wait until it is gone."""
    admin = connected_admin(settings)
    for future in admin.delete_topics([settings.topic(topic)], operation_timeout=10).values():
        future.result()
    while settings.topic(topic) in admin.list_topics(timeout=10).topics:
        time.sleep(0.05)


def create(settings: Settings) -> None:
    """What is missing."""
    topics.create(connected_admin(settings), settings)


def limit_letters(settings: Settings, message_bytes: int) -> None:
    """Say how large a record of the dead-letter topic may be."""
    entry = ConfigEntry("max.message.bytes", str(message_bytes), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource("topic", settings.topic("customerio-dlq"), incremental_configs=[entry])
    admin = connected_admin(settings)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


def publish_malformed(stage: Stage, value: bytes) -> None:
    """Publish one record that becomes a dead letter."""
    stage.producer.produce(stage.settings.topic(INPUT), value, b"u-bad")
    assert stage.producer.flush(WAIT_S) == 0


def results(stage: Stage) -> int:
    """How many there are."""
    return sum(1 for _ in stage._results())


def test_a_dead_letter_that_does_not_fit_is_waited_with(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Until its topic takes it; it is no less a letter for that, and nothing else is lost."""
    settings = settings_factory()
    limit_letters(settings, 2_000)
    with troubled_stage(settings, tmp_path) as stage:
        publish_malformed(stage, random.Random(1).randbytes(LETTER_BYTES))
        stage.publish(20)
        stage.worker.wait_until_it_says("MSG_SIZE_TOO_LARGE: ProduceRequest for " + settings.topic("customerio-dlq"))
        stage.worker.wait_until_it_says("raise that topic's max.message.bytes")

        assert stage.worker.load(QUIET_S).cpu < QUIET_CPU

        limit_letters(settings, 1_100_000)
        stage.worker.wait_for(lambda: stage.outcomes().total() == 21, WAIT_S)

        assert stage.outcomes() == {"delivered": 20, "malformed": 1}


def test_a_missing_input_topic_is_waited_for(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """Its name is in the log; made anew, it is read from its beginning."""
    settings = settings_factory()
    with troubled_stage(settings, tmp_path) as stage:
        stage.publish(20)
        stage.wait_until_concluded(WAIT_S)
        delete(settings, INPUT)
        stage.worker.wait_until_it_says(f"{settings.topic(INPUT)} does not exist, so it is not read", WAIT_S)

        assert stage.worker.load(QUIET_S).cpu < QUIET_CPU

        create(settings)
        stage.publish(30)
        stage.worker.wait_for(lambda: results(stage) == 50, WAIT_S)

        assert stage.worker.code is None


def test_an_input_topic_made_anew_at_once_is_read_from_its_beginning(
    settings_factory: SettingsFactory, tmp_path: Path
) -> None:
    """The worker hears of it in time; or it ends because its offsets are not there, says so, and is started again."""
    settings = settings_factory(topic_partitions=1)
    with troubled_stage(settings, tmp_path) as stage:
        stage.publish(50)
        stage.wait_until_concluded(WAIT_S)
        delete(settings, INPUT)
        create(settings)
        stage.publish(5)
        stage.worker.wait_for(lambda: results(stage) == 55 or stage.worker.code is not None, WAIT_S)
        given = environment(settings, str(stage.sandbox.base_url))
        with WorkerProcess(given, tmp_path / "second.log") as second:
            second.wait_for(lambda: results(stage) == 55, WAIT_S)

        assert stage.worker.code is None or stage.worker.said("the offset that is next is not there")
