"""A broker that the controller has shut out names no brokers, itself included; all of ours find it again afterwards."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import StreamsError, UnavailableError
from streams.kafka import topics
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.local_kafka.broker import LocalKafka
from streams.messaging import QueuedMessaging
from streams.settings import Settings
from streams.up.traffic import Traffic
from streams.warehouse.source import DECIDE_S
from tests.integration.warehouse_stage import LOAD_S, event_ids, loader
from tests.integration.webhook_process import READY, ReceiverProcess
from tests.integration.worker_process import WorkerProcess
from tests.webhook_client import ask, make_body, make_request

SHUT_OUT: dict[str, str] = {"broker.session.timeout.ms": "4000", "broker.heartbeat.interval.ms": "6000"}
"""It reports too seldom, so for a third of the time it is shut out; between, work that takes seconds can be done."""

TIMES = 3
STARTS_MAX = 5
WAIT_S = 30.0
START_S = DECIDE_S + 30.0
"""Who joins a group while its coordinator comes and goes may have to begin anew."""


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """Give topics on such a broker."""
    with LocalKafka(config=SHUT_OUT) as broker:
        prefix = f"n{uuid.uuid4().hex[:8]}."
        found = Settings(kafka_bootstrap_servers=broker.bootstrap, topic_prefix=prefix, topic_partitions=2)
        _create_topics(found)
        yield found


def _create_topics(settings: Settings) -> None:
    until_s = time.monotonic() + 2 * WAIT_S
    while True:
        try:
            topics.create(connected_admin(settings), settings)
        except (StreamsError, KafkaException):
            assert time.monotonic() < until_s
        else:
            return


def names_nobody(settings: Settings) -> bool:
    """Whether whoever asks now is told of no broker."""
    try:
        return not AdminClient(librdkafka_config(settings)).list_topics(timeout=1).brokers
    except KafkaException:
        return False


async def until_shut_out(settings: Settings) -> None:
    """Return while nobody is named."""
    async with asyncio.timeout(WAIT_S):
        while not await asyncio.to_thread(names_nobody, settings):  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.05)


async def said(queued: QueuedMessaging) -> bool:
    """Whether it is written; an application repeats what it was told is not."""
    try:
        await queued.enqueue_deleted("u-1")
    except UnavailableError:
        return False
    return True


async def test_publishing_goes_on(settings: Settings) -> None:
    """At the latest a few seconds after the broker is back, again and again."""
    async with QueuedMessaging(settings, timeout_s=WAIT_S) as queued:
        await queued.enqueue_deleted("u-1")
        for _ in range(TIMES):
            await until_shut_out(settings)
            assert await said(queued) or await said(queued)


async def test_other_producers_go_on(settings: Settings) -> None:
    """New ones meet what librdkafka alone does not always survive."""
    for _ in range(TIMES):
        traffic = Traffic(settings)
        await until_shut_out(settings)
        traffic.tick()
        assert await asyncio.to_thread(traffic._producer.flush, WAIT_S) == 0


async def until_taken(port: int, event_id: str) -> None:
    """Send a webhook as Customer.io does: what is answered 503 comes again."""
    request = make_request(make_body(event_id=event_id))
    async with asyncio.timeout(WAIT_S):
        while await ask(port, request) != 200:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)


def is_loaded(folder: Path, event_id: str) -> bool:
    """Whether readers see it."""
    return event_id in event_ids(folder)


def has_begun_or_ended(process: WorkerProcess) -> bool:
    """Whether there is nothing to wait for."""
    return process.said('"loading"') or process.code is not None


async def begun(started: ExitStack, settings: Settings, folder: Path) -> WorkerProcess:
    """Start a loader, and another one when it meets nobody at its start, as whoever keeps it running would."""
    for number in range(STARTS_MAX):
        process = started.enter_context(loader(settings, folder, name=f"loader-{number}"))
        await asyncio.to_thread(process.wait_for, partial(has_begun_or_ended, process), START_S)
        if process.code is None:
            return process
    raise AssertionError(process.last_words)


async def test_webhooks_go_on_and_are_loaded(settings: Settings, tmp_path: Path) -> None:
    """By the receiver and the loader that were there before."""
    with ReceiverProcess(settings, tmp_path / "receiver") as receiver, ExitStack() as started:
        await asyncio.to_thread(receiver.wait_until_it_says, READY)
        loading = await begun(started, settings, tmp_path)
        for number in range(TIMES):
            await until_shut_out(settings)
            await until_taken(receiver.port, f"e{number}")
            await asyncio.to_thread(loading.wait_for, partial(is_loaded, tmp_path, f"e{number}"), LOAD_S)
