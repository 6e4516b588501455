"""The pace of the sample traffic."""

from collections.abc import Callable

import pytest

from streams.publishing.sample_sends import sample_sends
from streams.publishing.sample_traffic import sample_traffic
from streams.settings import Settings
from streams.up.traffic import BURST_MAX, RECORDS_PER_S, SENDS_PER_S, Traffic


class FakeProducer:
    """Keeps what is produced; refuses all of it while `is_full`."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes | None, bytes]] = []
        self.is_full = False
        self.is_purged = False

    def produce(self, topic: str, value: bytes | None, key: bytes) -> None:
        """Take one record."""
        if self.is_full:
            raise BufferError
        self.records.append((topic, value, key))

    def poll(self, timeout: float) -> int:  # noqa: ARG002 - as the real one's
        """Confirm nothing."""
        return 0

    def purge(self) -> None:
        """Forget what waits."""
        self.is_purged = True

    def flush(self, timeout: float) -> int:  # noqa: ARG002 - as the real one's
        """Wait for nothing."""
        return 0


class Clock:
    """A clock that a test sets."""

    now_s = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock()


@pytest.fixture
def producer() -> FakeProducer:
    """Give a producer."""
    return FakeProducer()


@pytest.fixture
def traffic(producer: FakeProducer, clock: Callable[[], float]) -> Traffic:
    """Give traffic of one source, with a topic prefix."""
    sources = ((sample_traffic, RECORDS_PER_S),)
    return Traffic(Settings(topic_prefix="t."), producer=producer, clock=clock, sources=sources)


def test_the_pace_is_even(traffic: Traffic, producer: FakeProducer, clock: Clock) -> None:
    """However often it is asked, so many records a second come out."""
    for _ in range(300):
        clock.now_s += 0.07
        traffic.tick()

    assert abs(len(producer.records) - 300 * 0.07 * RECORDS_PER_S) <= 1


def test_nothing_is_due_at_once(traffic: Traffic, producer: FakeProducer) -> None:
    """Two calls at the same time are one."""
    traffic.tick()
    traffic.tick()

    assert producer.records == []


def test_a_pause_is_not_made_up_for(traffic: Traffic, producer: FakeProducer, clock: Clock) -> None:
    """A laptop that wakes up does not get a night's records."""
    clock.now_s += 36_000
    traffic.tick()
    traffic.tick()

    assert len(producer.records) == BURST_MAX


def test_records_go_to_the_prefixed_topics(traffic: Traffic, producer: FakeProducer, clock: Clock) -> None:
    """As everything else does."""
    clock.now_s += 2
    traffic.tick()

    assert {topic for topic, _, _ in producer.records} == {"t.user-changes", "t.domain-events"}


def test_a_kafka_that_does_not_keep_up_stops_nothing(traffic: Traffic, producer: FakeProducer, clock: Clock) -> None:
    """What it has no room for is let go."""
    producer.is_full = True
    clock.now_s += 1
    traffic.tick()
    producer.is_full = False
    clock.now_s += 1
    traffic.tick()

    assert len(producer.records) == RECORDS_PER_S


def test_changes_events_and_a_few_messages_are_published(producer: FakeProducer, clock: Clock) -> None:
    """By default."""
    traffic = Traffic(Settings(), producer=producer, clock=clock)
    for _ in range(10):
        clock.now_s += 1
        traffic.tick()
    sends = {"transactional-messages", "broadcast-triggers"}

    assert sum(topic in sends for topic, _, _ in producer.records) == 10 * SENDS_PER_S


def test_closing_waits_for_nobody(traffic: Traffic, producer: FakeProducer) -> None:
    """Kafka may be gone already."""
    traffic.close()

    assert producer.is_purged


def test_every_source_has_its_own_pace(producer: FakeProducer, clock: Clock) -> None:
    """A few messages among many changes."""
    sources = ((sample_traffic, 10.0), (sample_sends, 0.5))
    traffic = Traffic(Settings(), producer=producer, clock=clock, sources=sources)
    for _ in range(80):
        clock.now_s += 0.5
        traffic.tick()
    topics = [topic for topic, _, _ in producer.records]
    sends = [topic for topic in topics if topic in {"transactional-messages", "broadcast-triggers"}]

    assert abs(len(topics) - len(sends) - 400) <= 1
    assert abs(len(sends) - 20) <= 1
