"""No call of the queue waits for what will never come: after the end, in a fork, on another loop, without Kafka."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest

from schemas.errors import ConfigError, UnavailableError
from streams.messaging import BlockingQueuedMessaging, QueuedMessaging, Written
from streams.settings import Settings
from tests.conftest import SettingsFactory


@pytest.fixture
def settings(settings_factory: SettingsFactory) -> Settings:
    """Give topics of our own."""
    return settings_factory()


@pytest.fixture
def nowhere(settings_factory: SettingsFactory) -> Settings:
    """Give an address at which nobody answers, and nobody refuses either."""
    return settings_factory(create=False).with_changes(kafka_bootstrap_servers="10.255.255.1:9092")


async def test_after_the_end_a_call_is_refused_at_once(settings: Settings) -> None:
    """And a task that goes on publishing ends."""
    async with QueuedMessaging(settings) as queued:
        await queued.enqueue_deleted("u-1")

        async def publish() -> None:
            while True:
                await queued.enqueue_deleted("u-1")

        task = asyncio.create_task(publish())
        await asyncio.sleep(0.1)
    told = await asyncio.wait_for(asyncio.gather(task, queued.enqueue_deleted("u"), return_exceptions=True), 5)

    assert {str(each) for each in told} == {"the queue is closed: nothing was written"}
    assert {type(each) for each in told} == {UnavailableError}


def test_threads_that_go_on_after_the_end_are_told(settings: Settings) -> None:
    """Each of their calls is either written or refused."""

    def publish(number: int) -> None:
        with suppress(UnavailableError):
            while True:
                assert isinstance(queued.enqueue_deleted(f"u-{number}"), Written)

    with ThreadPoolExecutor(20) as threads:
        with BlockingQueuedMessaging(settings) as queued:
            queued.enqueue_deleted("u")
            running = [threads.submit(publish, number) for number in range(20)]
            time.sleep(0.3)
        assert len(wait(running, timeout=5).done) == 20


def test_a_fork_is_told(settings: Settings) -> None:
    """It has the producer, but none of its threads."""
    with BlockingQueuedMessaging(settings) as queued:
        queued.enqueue_deleted("u-1")
        child = os.fork()
        if child == 0:
            os._exit(_said_in_fork(queued))
        _, status = os.waitpid(child, 0)
        queued.enqueue_deleted("u-1")

    assert os.waitstatus_to_exitcode(status) == 0


def _said_in_fork(queued: BlockingQueuedMessaging) -> int:
    """0 when it is refused, and leaving does not wait."""
    with suppress(ConfigError):
        queued.enqueue_deleted("u-1")
        return 1
    began_s = time.monotonic()
    queued.__exit__(None, None, None)
    return int(time.monotonic() - began_s > 1)


def test_another_loop_is_told(settings: Settings) -> None:
    """A confirmation comes to the loop that entered it."""
    queued = QueuedMessaging(settings)

    async def enter() -> None:
        await queued.__aenter__()
        await queued.enqueue_deleted("u-1")

    asyncio.run(enter())
    with pytest.raises(ConfigError, match="another event loop"):
        asyncio.run(queued.enqueue_deleted("u-1"))
    with pytest.raises(ConfigError, match="not entered"):
        asyncio.run(QueuedMessaging(settings).enqueue_deleted("u-1"))
    with pytest.raises(ConfigError, match="not entered"):
        BlockingQueuedMessaging(settings).enqueue_deleted("u-1")


async def test_the_deadline_holds_for_the_first_call_too(nowhere: Settings) -> None:
    """Looking for the topic, room and confirmation share it, in both faces."""
    began_s = time.monotonic()
    async with QueuedMessaging(nowhere, timeout_s=0.5) as queued:
        with pytest.raises(UnavailableError, match="nothing was written"):
            await queued.enqueue_deleted("u-1")
    told = pytest.raises(UnavailableError, match="nothing was written")
    with BlockingQueuedMessaging(nowhere, timeout_s=0.5) as blocking, told:
        await asyncio.to_thread(blocking.enqueue_deleted, "u-1")

    assert time.monotonic() - began_s < 3
