"""Creating, checking and requiring topics on a real Kafka."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from schemas.errors import ConfigError, UnavailableError
from streams.kafka import topics
from streams.kafka.clients import connected_admin
from streams.kafka.topic_plan import (
    BROADCAST_TRIGGERS,
    DLQ,
    DOMAIN_EVENTS,
    INPUTS,
    RESULTS,
    TRANSACTIONAL_MESSAGES,
    USER_CHANGES,
    plan,
)
from streams.settings import Settings

SettingsFactory = Callable[..., Settings]
KNOWN_S_MAX = 15.0


def set_config(admin: AdminClient, topic: str, **entries: str) -> None:
    """Change a topic's configuration as an operator would; the broker that is asked learns of it a little later."""
    wanted = {name.replace("_", "."): value for name, value in entries.items()}
    changes = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wanted.items()]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=changes)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()
    deadline = time.monotonic() + KNOWN_S_MAX
    while not wanted.items() <= topics._configs(admin, [topic])[topic].items():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def widen(admin: AdminClient, counts: dict[str, int]) -> None:
    """Give topics more partitions; here too, the broker that is asked learns of it a little later."""
    for future in admin.create_partitions([NewPartitions(name, count) for name, count in counts.items()]).values():
        future.result()
    deadline = time.monotonic() + KNOWN_S_MAX
    while topics.partition_counts(admin, list(counts)) != counts:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_created_topics_are_as_planned(settings_factory: SettingsFactory) -> None:
    """After `create` on an empty cluster, `check` finds nothing."""
    settings = settings_factory(create=False)
    admin = connected_admin(settings)

    made = topics.create(admin, settings)

    assert sorted(topic.name for topic in plan(settings).values()) == sorted(made)
    assert topics.check(admin, settings) == []


def test_creating_twice_makes_nothing_new(settings_factory: SettingsFactory) -> None:
    """`create` is idempotent and leaves what exists as it is, wrong or not."""
    settings = settings_factory()
    admin = connected_admin(settings)

    assert topics.create(admin, settings.with_changes(topic_partitions=5)) == []
    assert topics.partition_counts(admin, [settings.topic(RESULTS)]) == {settings.topic(RESULTS): 2}


def test_two_who_create_at_once_both_succeed(settings_factory: SettingsFactory) -> None:
    """Whoever is second takes the first one's topic for its own."""
    settings = settings_factory(create=False)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: topics.create(connected_admin(settings), settings), range(4)))

    assert sorted(topic.name for topic in plan(settings).values()) == sorted(name for names in made for name in names)
    assert topics.check(connected_admin(settings), settings) == []


def test_every_missing_topic_is_a_difference(settings_factory: SettingsFactory) -> None:
    """An empty cluster lacks all of them, each in a sentence of its own."""
    settings = settings_factory(create=False)

    differences = topics.check(connected_admin(settings), settings)

    assert len(plan(settings)) == len(differences)
    assert all("does not exist" in str(difference) for difference in differences)


def test_wrong_partitions_and_configurations_are_differences(settings_factory: SettingsFactory) -> None:
    """Each names the topic, what is wrong, what it is and what it should be."""
    settings = settings_factory()
    admin = connected_admin(settings)
    events = settings.topic(DOMAIN_EVENTS)
    widen(admin, {events: 3})
    set_config(admin, settings.topic(RESULTS), retention_ms="1000")

    assert {str(difference) for difference in topics.check(admin, settings)} == {
        f"{events} has partitions 3, expected 2",
        f"{settings.topic(RESULTS)} has retention.ms 1000, expected 604800000",
    }


def test_a_letter_has_room_for_its_headers_beside_the_largest_input(settings_factory: SettingsFactory) -> None:
    """The dead-letter topic takes 64 KiB more than the inputs; when those are enlarged later, `check` says so."""
    settings = settings_factory()
    admin = connected_admin(settings)
    set_config(admin, settings.topic(USER_CHANGES), max_message_bytes="4000000")

    differences = topics.check(admin, settings)

    assert {"at least 4065536"} == {difference.expected for difference in differences}
    assert settings.topic(DLQ) in {difference.topic for difference in differences}


def test_messages_have_room_for_attachments(settings_factory: SettingsFactory) -> None:
    """2 MB of them in base64; a topic that was made smaller is a difference, and so is room for its letters."""
    settings = settings_factory()
    admin = connected_admin(settings)
    assert topics.check(admin, settings) == []
    set_config(admin, settings.topic(TRANSACTIONAL_MESSAGES), max_message_bytes="1048588")

    (difference,) = topics.check(admin, settings)

    name = settings.topic(TRANSACTIONAL_MESSAGES)
    assert str(difference) == f"{name} has max.message.bytes 1048588, expected at least 3145728"


def test_topics_that_agree_are_accepted(settings_factory: SettingsFactory) -> None:
    """Broadcast triggers have one partition and count as that; what the cluster has counts, not the setting."""
    settings = settings_factory(topic_partitions=3).with_changes(topic_partitions=12)
    admin = connected_admin(settings)

    assert topics.require_partitions(admin, settings, INPUTS) == 3
    assert topics.input_partitions(settings, INPUTS) == {
        settings.topic(name): 1 if name == BROADCAST_TRIGGERS else 3 for name in INPUTS
    }


def test_a_wrong_partition_count_names_the_topic_and_what_to_run(settings_factory: SettingsFactory) -> None:
    """A worker that cannot pair partitions must not start."""
    settings = settings_factory()
    admin = connected_admin(settings)
    results, triggers = settings.topic(RESULTS), settings.topic(BROADCAST_TRIGGERS)
    widen(admin, {results: 4, triggers: 2})

    with pytest.raises(ConfigError) as raised:
        topics.input_partitions(settings, INPUTS)
    text = str(raised.value)
    assert f"{results} has 4 partitions, expected 2 as {settings.topic(USER_CHANGES)} has" in text
    assert f"{triggers} has 2 partitions, expected 1" in text
    assert "cio-streams topics check" in text


def test_missing_topics_are_all_named(settings_factory: SettingsFactory) -> None:
    """The refusal lists every one and says how to make them."""
    settings = settings_factory(create=False)

    with pytest.raises(ConfigError) as raised:
        topics.require_partitions(connected_admin(settings), settings, [USER_CHANGES, DOMAIN_EVENTS])
    for name in (USER_CHANGES, DOMAIN_EVENTS):
        assert f"{settings.topic(name)} does not exist" in str(raised.value)
    assert "cio-streams topics create" in str(raised.value)


def test_an_impossible_replication_is_a_config_error(settings_factory: SettingsFactory) -> None:
    """The broker's own reason is in the error."""
    settings = settings_factory(create=False, topic_replication=99)

    with pytest.raises(ConfigError, match="replication"):
        topics.create(connected_admin(settings), settings)


def test_a_cluster_that_is_not_there_is_unavailable() -> None:
    """The error says where and why."""
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1 cannot be reached.*refused"):
        connected_admin(Settings(kafka_bootstrap_servers="127.0.0.1:1"))
