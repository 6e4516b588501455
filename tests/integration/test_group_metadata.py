"""The identity by which Kafka fences our commits is, to the byte, the one that librdkafka itself would send."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer

from schemas.chunk import Membership
from streams.kafka.transactions import group_metadata
from streams.settings import Settings
from tests.conftest import SettingsFactory

JOIN_S = 30.0


@contextmanager
def _member(settings: Settings) -> Iterator[Consumer]:
    consumer = Consumer(
        {
            "bootstrap.servers": settings.bootstrap,
            "group.id": settings.app_id,
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 200,
        }
    )
    consumer.subscribe([settings.topic("user-changes")])
    try:
        yield consumer
    finally:
        consumer.close()


def _poll_until(consumers: list[Consumer], partitions: int) -> None:
    """Poll all, in this thread, until each owns so many partitions."""
    deadline = time.monotonic() + JOIN_S
    while any(len(consumer.assignment()) != partitions for consumer in consumers):
        assert time.monotonic() < deadline, "the group does not form"
        for consumer in consumers:
            consumer.poll(0.05)


def test_our_group_metadata_is_that_of_a_real_consumer(settings_factory: SettingsFactory) -> None:
    """For the same generation and member, ours are the bytes of confluent-kafka's `consumer_group_metadata()`."""
    settings = settings_factory()
    with _member(settings) as consumer:
        _poll_until([consumer], 2)
        ours = group_metadata(settings.app_id, Membership(1, str(consumer.memberid())))

        assert consumer.consumer_group_metadata() == ours


def test_our_group_metadata_follows_the_generation(settings_factory: SettingsFactory) -> None:
    """After a rebalance the generation is the next one, and both members' bytes are ours still."""
    settings = settings_factory()
    with _member(settings) as first:
        _poll_until([first], 2)
        with _member(settings) as second:
            _poll_until([first, second], 1)
            for consumer in (first, second):
                ours = group_metadata(settings.app_id, Membership(2, str(consumer.memberid())))

                assert consumer.consumer_group_metadata() == ours
