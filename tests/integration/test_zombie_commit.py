"""Commits that must not count: of a member that the group has left behind, and of a producer whose answer was lost."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from agents.ports import Publication
from schemas.chunk import Chunk, Membership
from schemas.errors import FencedError, UnavailableError
from schemas.send_memory import SendEntry, SendPlace
from streams.kafka.clients import librdkafka_config
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.transactions import OutputTopics, TransactionWriter
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.faults.evidence import read_committed

JOIN_S = 30.0
NOBODY = Membership(-1, "")  # outside any group: Kafka fences nothing


class _CommitsAndDies:
    """A producer whose commit succeeds, but whose connection breaks before the answer."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the real producer's
        return getattr(self._producer, name)

    def commit_transaction(self, timeout_s: float) -> None:
        """Commit, then fail as librdkafka does when it cannot know."""
        self._producer.commit_transaction(timeout_s)
        raise KafkaException(KafkaError(KafkaError._TRANSPORT, "the connection is gone", fatal=True))


class _LosesItsSequence(_CommitsAndDies):
    """A producer whose first transaction is its last that can be committed."""

    _is_aborted = False

    def abort_transaction(self, timeout_s: float) -> None:
        """Abort as it should."""
        self._producer.abort_transaction(timeout_s)
        self._is_aborted = True

    def send_offsets_to_transaction(self, *arguments: Any) -> None:  # noqa: ANN401 - as it takes them
        """Fail as librdkafka does when it needs a new epoch."""
        if self._is_aborted:
            raise KafkaException(KafkaError(KafkaError._STATE, "requires epoch bump", txn_requires_abort=True))
        self._producer.send_offsets_to_transaction(*arguments)


class _IsFencedBeforeItsCommit(_CommitsAndDies):
    """A producer that another one of the same transactional id replaces in the middle of its transaction."""

    def __init__(self, producer: Producer, *, rival: Producer) -> None:
        super().__init__(producer)
        self._rival = rival

    def commit_transaction(self, timeout_s: float) -> None:
        """Come too late."""
        self._rival.init_transactions(timeout_s)
        self._producer.commit_transaction(timeout_s)


def _writer(settings: Settings) -> TransactionWriter:
    config = librdkafka_config(settings)
    topics = OutputTopics.of(settings)
    reader = LedgerReader(config, group=settings.app_id)
    return TransactionWriter(
        config, group=settings.app_id, transactional_id=f"{settings.app_id}-1", topics=topics, reader=reader
    )


def _publication(settings: Settings, membership: Membership) -> Publication:
    topic = settings.topic("user-changes")
    record = ConsumerRecord(topic, 0, 0, 0, 0, b"u-1", b"{}", None, 3, 2, ())
    chunk = Chunk(topic=topic, partition=0, start=0, records=[record], membership=membership, epoch=1)
    return Publication(
        chunk=chunk,
        results=[(b"u-1", b"{}")],
        letters=[(b"u-1", b"{", [])],
        people=[(b"u-1", b"state")],
        events=[b"0123456789abcdef"],
        sends=[(b"m-1", SendEntry("intent", "message", SendPlace(topic, 0)))],
        concluded_s=0,
    )


def _published(settings: Settings) -> dict[str, int]:
    config = librdkafka_config(settings)
    return {
        name: len(list(read_committed(config, settings.topic(name), settings.topic_partitions))) for name in ALL_ONCE
    }


ALL_ONCE = {
    "customerio-results": 1,
    "customerio-dlq": 1,
    "customerio-ledger-people": 1,
    "customerio-ledger-events": 1,
    "customerio-ledger-sends": 1,
}
NOTHING = dict.fromkeys(ALL_ONCE, 0)


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Settings with topics of the test's own."""
    return settings_factory()


@pytest.fixture
def member(settings: Settings) -> Iterator[Consumer]:
    """The one member of the group, in its first generation."""
    consumer = Consumer(
        {"bootstrap.servers": settings.bootstrap, "group.id": settings.app_id, "heartbeat.interval.ms": 200}
    )
    consumer.subscribe([settings.topic("user-changes")])
    deadline = time.monotonic() + JOIN_S
    while not consumer.assignment():
        assert time.monotonic() < deadline, "the group does not form"
        consumer.poll(0.05)
    yield consumer
    consumer.close()


def test_a_member_of_the_present_generation_commits(settings: Settings, member: Consumer) -> None:
    """Results, letter, ledger and offset become visible together."""
    _writer(settings).write([_publication(settings, _present(member))], _present(member))

    assert _published(settings) == ALL_ONCE
    assert _committed(settings) == 1


@pytest.mark.parametrize("wrong", ["generation", "member"])
def test_a_zombie_publishes_nothing(settings: Settings, member: Consumer, wrong: str) -> None:
    """A commit under an identity that the group does not know any more is fenced, and nothing of it is visible."""
    present = _present(member)
    past = Membership(0, present.member_id) if wrong == "generation" else Membership(1, f"{present.member_id}-gone")

    with pytest.raises(FencedError):
        _writer(settings).write([_publication(settings, past)], past)

    assert _published(settings) == NOTHING
    assert _committed(settings) == 0


def test_a_fenced_writer_goes_on_with_the_present_generation(settings: Settings, member: Consumer) -> None:
    """What was fenced leaves nothing behind that the next transaction could publish."""
    writer, past, present = _writer(settings), Membership(0, "nobody"), _present(member)
    with pytest.raises(FencedError):
        writer.write([_publication(settings, past)], past)
    writer.write([_publication(settings, present)], present)

    assert _published(settings) == ALL_ONCE


def test_a_producer_whose_transaction_was_fenced_is_not_used_again(settings: Settings, member: Consumer) -> None:
    """What it had under way when it aborted may have cost it its sequence: then Kafka refuses its next transaction."""
    writer, past, present = _writer(settings), Membership(0, "nobody"), _present(member)
    writer._producer = _LosesItsSequence(writer._ready_producer())  # type: ignore[assignment]  # acts as one
    with pytest.raises(FencedError):
        writer.write([_publication(settings, past)], past)
    writer.write([_publication(settings, present)], present)

    assert _published(settings) == ALL_ONCE


def test_a_commit_whose_answer_is_lost_is_not_published_twice(settings: Settings) -> None:
    """The writer asks what was committed before it tries again."""
    writer = _writer(settings)
    writer._producer = _CommitsAndDies(writer._ready_producer())  # type: ignore[assignment]  # acts as one
    with pytest.raises(UnavailableError):
        writer.write([_publication(settings, NOBODY)], NOBODY)
    writer.write([_publication(settings, NOBODY)], NOBODY)

    assert _published(settings) == ALL_ONCE


def test_a_producer_that_is_fenced_in_the_middle_publishes_once(settings: Settings) -> None:
    """What the broker aborted is published by the next try, and only by that."""
    writer, rival = _writer(settings), _writer(settings)
    other = Producer(rival._config, logger=None)
    writer._producer = _IsFencedBeforeItsCommit(writer._ready_producer(), rival=other)  # type: ignore[assignment]  # acts as one
    with pytest.raises(UnavailableError):
        writer.write([_publication(settings, NOBODY)], NOBODY)

    assert _published(settings) == NOTHING

    writer.write([_publication(settings, NOBODY)], NOBODY)

    assert _published(settings) == ALL_ONCE


def test_a_commit_that_moves_no_offset_is_not_published_twice_either(settings: Settings) -> None:
    """Its mark beside the offset tells that it was committed; the next one is written, whatever its doubt."""
    writer, first = _writer(settings), _still(settings, serial=1)
    writer._producer = _CommitsAndDies(writer._ready_producer())  # type: ignore[assignment]  # acts as one
    with pytest.raises(UnavailableError):
        writer.write([first], NOBODY)
    writer.write([first], NOBODY)

    assert (_published(settings), _committed(settings)) == (ALL_ONCE, 0)

    writer._producer = _CommitsAndDies(writer._ready_producer())  # type: ignore[assignment]  # as above
    for _ in range(2):
        with contextlib.suppress(UnavailableError):
            writer.write([_still(settings, serial=2)], NOBODY)

    assert _published(settings) == dict.fromkeys(ALL_ONCE, 2)


def test_what_moves_no_offset_and_was_aborted_is_published_by_the_next_try(settings: Settings) -> None:
    """Only by that."""
    writer, rival = _writer(settings), _writer(settings)
    other = Producer(rival._config, logger=None)
    writer._producer = _IsFencedBeforeItsCommit(writer._ready_producer(), rival=other)  # type: ignore[assignment]  # acts as one
    with pytest.raises(UnavailableError):
        writer.write([_still(settings, serial=1)], NOBODY)
    writer.write([_still(settings, serial=1)], NOBODY)

    assert _published(settings) == ALL_ONCE


def test_a_zombie_cannot_intend_to_send(settings: Settings, member: Consumer) -> None:
    """Although its offset does not move, the generation is checked."""
    past = Membership(0, _present(member).member_id)
    with pytest.raises(FencedError):
        _writer(settings).write([_still(settings, serial=1)], past)

    assert _published(settings) == NOTHING


def _still(settings: Settings, *, serial: int) -> Publication:
    """One that does not move the offset."""
    return replace(_publication(settings, NOBODY), moves=False, serial=serial)


def _present(member: Consumer) -> Membership:
    return Membership(1, str(member.memberid()))


def _committed(settings: Settings) -> int:
    place = (settings.topic("user-changes"), 0)
    return max(0, LedgerReader(librdkafka_config(settings), group=settings.app_id).committed([place])[place])
