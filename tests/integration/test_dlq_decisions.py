"""Decisions on dead letters, written to a real Kafka: whole or not at all, and never by two at once."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from schemas.dead_letter import LetterName
from schemas.decision import Decision, decision_key, encode_decision
from schemas.errors import UnavailableError
from streams.dead_letters.decisions import DecisionWriter, Outgoing, OvertakenError
from streams.dead_letters.letters import Letters
from streams.kafka.clients import librdkafka_config
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings
from tests.conftest import SettingsFactory

DISCARDED = Decision(decision="discarded", at="2026-11-22T10:00:00.000Z", by="ada", note="a test")
LATER_COPIES = 200
REPLAYED = Decision(decision="replayed", at="2026-11-22T11:00:00.000Z", by="eve", note=None)


def decided(settings: Settings, partition: int) -> dict[LetterName, Decision]:
    """What another machine sees."""
    with PartitionReader(settings) as reader:
        return Letters(settings, reader).decisions(partition)


def test_decisions_and_records_come_together(settings_factory: SettingsFactory) -> None:
    """Each lands on the partition it was meant for, with its headers; the writer knows what it has decided."""
    settings = settings_factory()
    copy = Outgoing(topic=settings.topic("customerio-replay"), partition=1, key=b"k", value=None, headers=[("h", None)])
    with PartitionReader(settings) as reader, DecisionWriter(settings, Letters(settings, reader), 1) as writer:
        writer.commit({LetterName(1, 7): REPLAYED}, [copy])
        writer.commit({LetterName(1, 8): DISCARDED})
        (stored,) = reader.read((copy.topic, 1))

    assert {LetterName(1, 7): REPLAYED, LetterName(1, 8): DISCARDED} == writer.decisions == decided(settings, 1)
    assert (b"k", None, [("h", None)]) == (stored.key, stored.value, stored.headers)


def test_whoever_comes_second_reads_the_first_ones_and_shuts_him_out(settings_factory: SettingsFactory) -> None:
    """The first one's next batch is refused whole, in one line that says what to do."""
    settings = settings_factory()
    with PartitionReader(settings) as reader, PartitionReader(settings) as other:
        first = DecisionWriter(settings, Letters(settings, reader), 0)
        second = DecisionWriter(settings, Letters(settings, other), 0)
        with first:
            first.commit({LetterName(0, 1): DISCARDED})
            second.__enter__()
            with pytest.raises(OvertakenError, match="run it again"):
                first.commit({LetterName(0, 2): DISCARDED})
            second.commit({LetterName(0, 2): REPLAYED})

    assert {LetterName(0, 1): DISCARDED} | {LetterName(0, 2): REPLAYED} == second.decisions == decided(settings, 0)


def test_who_is_shut_out_between_two_records_is_told_so(settings_factory: SettingsFactory) -> None:
    """What meets the next record is a bare fatal error: what was fatal is asked for."""
    settings = settings_factory()
    with PartitionReader(settings) as reader, PartitionReader(settings) as other:
        second = DecisionWriter(settings, Letters(settings, other), 0)

        def copies() -> Iterator[Outgoing]:
            copy = Outgoing(topic=settings.topic("customerio-replay"), partition=0, key=b"k", value=None)
            yield copy
            second.__enter__()
            for _ in range(LATER_COPIES):
                time.sleep(0.05)  # until the first one hears of it
                yield copy

        with DecisionWriter(settings, Letters(settings, reader), 0) as first, pytest.raises(OvertakenError):
            first.commit({LetterName(0, 1): DISCARDED}, copies())

    assert {} == decided(settings, 0)


def test_what_a_killed_command_left_open_is_not_waited_for(settings_factory: SettingsFactory) -> None:
    """The next one on the partition ends it, and sees what was committed, whatever came after the open one began."""
    settings = settings_factory()
    transactional = {"transactional.id": f"{settings.app_id}-dlq-0"}
    killed = Producer(librdkafka_config(settings, **transactional))
    killed.init_transactions(10)
    killed.begin_transaction()
    topic = settings.topic("customerio-dlq-decisions")
    killed.produce(topic, encode_decision(DISCARDED), decision_key(LetterName(0, 1)), 0)
    killed.flush(10)
    plain = Producer(librdkafka_config(settings))
    plain.produce(topic, encode_decision(REPLAYED), decision_key(LetterName(0, 2)), 0)
    plain.flush(10)

    with PartitionReader(settings) as reader, DecisionWriter(settings, Letters(settings, reader), 0) as writer:
        found = writer.decisions

    assert {LetterName(0, 2): REPLAYED} == found


def test_a_record_that_is_too_large_leaves_nothing_behind(settings_factory: SettingsFactory) -> None:
    """Its decision is not written either, and no transaction stays open."""
    settings = settings_factory()
    huge = Outgoing(topic=settings.topic("customerio-replay"), partition=0, key=None, value=bytes(17_000_000))
    with PartitionReader(settings) as reader:
        with DecisionWriter(settings, Letters(settings, reader), 0) as writer, pytest.raises(UnavailableError):
            writer.commit({LetterName(0, 1): REPLAYED}, [huge])
        with DecisionWriter(settings, Letters(settings, reader), 0) as again:
            again.commit({LetterName(0, 2): DISCARDED})

    assert {LetterName(0, 2): DISCARDED} == decided(settings, 0)


def test_letters_of_another_partition_are_refused(settings_factory: SettingsFactory) -> None:
    """Nobody would look for them there."""
    settings = settings_factory()
    with PartitionReader(settings) as reader:
        letters = Letters(settings, reader)
        with DecisionWriter(settings, letters, 0) as writer, pytest.raises(AssertionError):
            writer.commit({LetterName(1, 1): DISCARDED})

    assert {} == decided(settings, 1)
