"""Publishing from application code, on a real Kafka."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner  # Java's way of hashing keys, independent of librdkafka's
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas.errors import ConfigError, InvalidInputError, UnavailableError
from streams.kafka.clients import librdkafka_config
from streams.kafka.topic_plan import BROADCAST_TRIGGERS, DOMAIN_EVENTS, TRANSACTIONAL_MESSAGES, USER_CHANGES
from streams.messaging import BlockingQueuedMessaging, QueuedMessaging, User, UserMessagingRepository, Written
from streams.settings import Settings
from tests.conftest import SettingsFactory

PARTITIONS = 4


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give topics of our own, with some partitions."""
    return settings_factory(topic_partitions=PARTITIONS)


def read_at(settings: Settings, *places: Written) -> list[tuple[Any, Any]]:
    """Key and value of the records at these places, in their order."""
    consumer = Consumer(librdkafka_config(settings, **{"group.id": "nobody", "enable.auto.commit": False}))
    found = []
    for place in places:
        consumer.assign([TopicPartition(place.topic, place.partition, place.offset)])
        record = consumer.poll(20)
        assert record is not None
        found.append((record.key(), json.loads(record.value() or b"")))
    consumer.close()
    return found


def count(settings: Settings, topic: str) -> int:
    """How many records a topic has."""
    consumer = Consumer(librdkafka_config(settings, **{"group.id": "nobody"}))
    ends = (
        consumer.get_watermark_offsets(TopicPartition(settings.topic(topic), number, OFFSET_BEGINNING), timeout=10)
        for number in range(PARTITIONS)
    )
    total = sum(end[1] for end in ends if end)
    consumer.close()
    return total


async def test_each_verb_writes_its_record(settings: Settings) -> None:
    """With the keys that keep a person's records in order, and what was left out left out."""
    audience = {"segment": {"id": 7}}
    async with QueuedMessaging(settings) as queued:
        places = [
            await queued.enqueue_identify("u-1", plan="pro", marketing_opt_in=True, version=3),
            await queued.enqueue_deleted(2),
            await queued.enqueue_track("paid", user_id="u-1", id="e-1", data={"total": 42.5}),
            await queued.enqueue_track("seen", anonymous_id="a-1"),
            await queued.enqueue_transactional(
                "email", message_id="m-1", identifiers={"id": "u-1"}, to="ada@example.com", transactional_message_id=3
            ),
            await queued.enqueue_transactional(
                "push", message_id="m-2", identifiers={"email": "ada@example.com"}, transactional_message_id=3
            ),
            await queued.enqueue_broadcast(12, trigger_id="t-1", data={"code": "SPRING"}, audience=audience),
        ]

    topics = [USER_CHANGES] * 2 + [DOMAIN_EVENTS] * 2 + [TRANSACTIONAL_MESSAGES] * 2 + [BROADCAST_TRIGGERS]
    assert [place.topic for place in places] == [settings.topic(name) for name in topics]
    user = {"id": "u-1", "plan": "pro", "preferences": {"marketing": True}}
    message = {"message_id": "m-1", "channel": "email", "identifiers": {"id": "u-1"}, "to": "ada@example.com"}
    other = {"message_id": "m-2", "channel": "push", "identifiers": {"email": "ada@example.com"}}
    assert read_at(settings, *places) == [
        (b"u-1", {"type": "user.upserted", "version": 3, "user": user}),
        (b"2", {"type": "user.deleted", "user_id": 2}),
        (b"u-1", {"name": "paid", "user_id": "u-1", "id": "e-1", "data": {"total": 42.5}}),
        (b"a-1", {"name": "seen", "anonymous_id": "a-1"}),
        (b"u-1", message | {"transactional_message_id": 3}),
        (b"m-2", other | {"transactional_message_id": 3}),
        (b"12", {"trigger_id": "t-1", "broadcast_id": 12, "data": {"code": "SPRING"}, "audience": audience}),
    ]


async def test_many_tasks_share_a_producer_and_a_person_keeps_their_order(settings: Settings) -> None:
    """Each record lies where a Java publisher would put it."""
    async with QueuedMessaging(settings) as queued:
        places = await asyncio.gather(
            *(queued.enqueue_identify(f"u-{n % 50}", version=n) for n in range(1_000)),
        )

    partitions = list(range(PARTITIONS))
    assert len(set(places)) == 1_000
    for n, place in enumerate(places):
        key = b"u-%d" % (n % 50)
        assert place.partition == DefaultPartitioner()(key, partitions, partitions)
        assert n < 50 or place.offset > places[n - 50].offset


def test_threads_share_a_producer_too(settings: Settings) -> None:
    """The same verbs, which wait instead of being awaited."""
    with BlockingQueuedMessaging(settings) as queued, ThreadPoolExecutor(20) as threads:
        places = list(threads.map(lambda n: queued.enqueue_track("n", user_id=f"u-{n}"), range(200)))

    assert len(set(places)) == 200
    assert read_at(settings, places[7]) == [(b"u-7", {"name": "n", "user_id": "u-7"})]


async def test_what_a_worker_could_not_send_is_not_written(settings: Settings) -> None:
    """Of any verb; the others go on."""
    async with QueuedMessaging(settings) as queued:
        for wrong in (
            queued.enqueue_identify("u-1", plan=3),  # type: ignore[arg-type]  # the fault
            queued.enqueue_identify("u-1", attributes={"city": "x" * 1001}),
            queued.enqueue_track("n", user_id="u-1", data={"text": "x" * 32_000}),
            queued.enqueue_transactional("sms", message_id="m-1", identifiers={"id": "u-1"}),
            queued.enqueue_broadcast(12, trigger_id="t-1", audience={"ids": []}),
        ):
            with pytest.raises(InvalidInputError):
                await wrong
        await queued.enqueue_deleted("u-1")

    assert [count(settings, topic) for topic in (USER_CHANGES, DOMAIN_EVENTS, TRANSACTIONAL_MESSAGES)] == [1, 0, 0]


async def test_leaving_waits_for_what_is_under_way(settings: Settings) -> None:
    """Also for records whose callers were cancelled."""
    async with QueuedMessaging(settings) as queued:
        await queued.enqueue_track("first", user_id="u-1")  # so that the topic is known
        tasks = [asyncio.create_task(queued.enqueue_track("n", user_id=f"u-{n}")) for n in range(500)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()

    assert count(settings, DOMAIN_EVENTS) == 501


async def test_a_missing_topic_is_told_and_not_created(settings_factory: SettingsFactory) -> None:
    """With what to run."""
    async with QueuedMessaging(settings_factory(create=False)) as queued:
        with pytest.raises(ConfigError, match="cio-streams topics create"):
            await queued.enqueue_deleted("u-1")


async def test_without_kafka_a_caller_is_told(settings_factory: SettingsFactory) -> None:
    """Rather than kept waiting."""
    nowhere = settings_factory(create=False).with_changes(kafka_bootstrap_servers="127.0.0.1:1")
    async with QueuedMessaging(nowhere, timeout_s=1) as queued:
        with pytest.raises(UnavailableError, match="nothing was written"):
            await queued.enqueue_deleted("u-1")


async def test_the_repository_writes_what_a_user_is(settings: Settings) -> None:
    """An opt-out says nothing else; both faces of the queue write the same."""
    ada = User(id="u-1", email="ada@example.com", created_at=1735689600, marketing_opt_in=True)
    gone = User(id="u-2", email="bob@example.com", marketing_opt_in=False, transactional_opt_in=False)
    async with QueuedMessaging(settings) as queued:
        repository = UserMessagingRepository(queued.users)
        places = [await repository.sync_user(ada), await repository.sync_user(gone)]
        places.append(await repository.on_user_deleted("u-3"))
    with BlockingQueuedMessaging(settings) as blocking:
        again = UserMessagingRepository(blocking.users).sync_user(ada)

    wanted = {"marketing": True, "transactional": None}
    named = dict.fromkeys(("first_name", "last_name", "plan"))
    user = {"id": "u-1", "email": "ada@example.com", **named, "created_at": 1735689600, "preferences": wanted}
    refused = {"id": "u-2", "preferences": {"marketing": False, "transactional": False}}
    assert read_at(settings, *places, again) == [
        (b"u-1", {"type": "user.upserted", "user": user}),
        (b"u-2", {"type": "user.upserted", "user": refused}),
        (b"u-3", {"type": "user.deleted", "user_id": "u-3"}),
        (b"u-1", {"type": "user.upserted", "user": user}),
    ]
