"""The plan holds what the contract promises."""

import pytest

from streams.kafka.topic_plan import (
    BROADCAST_TRIGGERS,
    DLQ,
    DLQ_DECISIONS,
    INPUTS,
    LEDGER_EVENTS,
    LEDGER_PEOPLE,
    LEDGER_SENDS,
    PERSON_STATUS,
    REPLAY,
    RESULTS,
    WEBHOOKS,
    plan,
)
from streams.settings import TOPIC_PREFIX_CHARS_MAX, Settings

DAY_MS = 86_400_000
KAFKA_NAME_CHARS_MAX = 249


def test_all_topics_have_the_same_partitions_except_broadcasts() -> None:
    """Customer.io takes one broadcast trigger in ten seconds: one partition is plenty."""
    topics = plan(Settings(topic_partitions=7))

    assert topics.pop(BROADCAST_TRIGGERS).partitions == 1
    assert {topic.partitions for topic in topics.values()} == {7}
    assert len(topics) == 12


def test_every_name_has_the_prefix_and_fits_into_kafka() -> None:
    """The longest allowed prefix leaves room for the longest name."""
    prefix = "p" * TOPIC_PREFIX_CHARS_MAX
    topics = plan(Settings(topic_prefix=prefix))

    assert all(topic.name == prefix + name for name, topic in topics.items())
    assert max(len(topic.name) for topic in topics.values()) == KAFKA_NAME_CHARS_MAX


@pytest.mark.parametrize(
    ("name", "days"), [*((name, 7) for name in (*INPUTS, RESULTS, WEBHOOKS)), (DLQ, 30), (REPLAY, 30)]
)
def test_records_are_deleted_after_days(name: str, days: int) -> None:
    """A week for what flows, a month for what somebody must look at."""
    config = plan(Settings())[name].config

    assert config["cleanup.policy"] == "delete"
    assert config["retention.ms"] == str(days * DAY_MS)


@pytest.mark.parametrize("name", [LEDGER_PEOPLE, DLQ_DECISIONS, PERSON_STATUS])
def test_what_is_true_until_changed_is_compacted(name: str) -> None:
    """Nothing is deleted by age there."""
    config = plan(Settings())[name].config

    assert config["cleanup.policy"] == "compact"
    assert "retention.ms" not in config


def test_a_status_can_be_read_for_a_week_before_it_is_compacted() -> None:
    """Customer.io repeats for so long, so a reader that looks weekly sees the newer of two that came the wrong way."""
    assert plan(Settings())[PERSON_STATUS].config["min.compaction.lag.ms"] == str(7 * DAY_MS)


@pytest.mark.parametrize(("name", "retention_ms"), [(LEDGER_EVENTS, 90_000_000), (LEDGER_SENDS, 100_000_000)])
def test_ledgers_forget_after_their_setting_in_short_segments(name: str, retention_ms: int) -> None:
    """Only whole segments are deleted, so one is a twenty-fourth of the window."""
    config = plan(Settings(dedupe_window_s=90_000, send_memory_s=100_000))[name].config

    assert config["retention.ms"] == str(retention_ms)
    assert config["segment.ms"] == str(retention_ms // 24)


@pytest.mark.parametrize(("window_s", "segment_ms"), [(1, 60_000), (315_360_000, DAY_MS)])
def test_segments_are_neither_tiny_nor_huge(window_s: float, segment_ms: int) -> None:
    """Between a minute and a day, however short or long the window is."""
    config = plan(Settings(dedupe_window_s=window_s))[LEDGER_EVENTS].config

    assert config["segment.ms"] == str(segment_ms)


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2"), (5, "2")])
def test_three_replicas_insist_on_two_in_sync(replication: int, in_sync: str) -> None:
    """One broker may then be lost without losing a record or a write."""
    topics = plan(Settings(topic_replication=replication)).values()

    assert {in_sync} == {topic.config["min.insync.replicas"] for topic in topics}
    assert {replication} == {topic.replication for topic in topics}
