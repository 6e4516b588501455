"""Queued publishing: how many records of each kind many tasks of one process check, write and see confirmed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from streams.messaging import QueuedMessaging, Written
from streams.settings import Settings
from tests.bench.broker import Broker, own_topics
from tests.bench.report import Figure, Report, at_least

PARTITIONS: Final = 12
TASKS: Final = 1_000  # each waits for its confirmation before it says the next thing
WARM_UP: Final = 1_000

Enqueue = Callable[[QueuedMessaging, int], Awaitable[Written]]


def measure(broker: Broker, records: int) -> Report:
    """Publish user changes, then events."""
    with own_topics(broker, partitions=PARTITIONS) as settings:
        figures = [
            figure
            for name, enqueue in (("user changes", _change), ("events", _event))
            for figure in asyncio.run(_publish(settings, name, enqueue, records // 2))
        ]
    how = f"{records:,} records by {TASKS:,} tasks of one process, each record checked and confirmed by Kafka"
    return Report(part="queued", how=how, figures=tuple(figures))


async def _publish(settings: Settings, name: str, enqueue: Enqueue, records: int) -> tuple[Figure, ...]:
    async with QueuedMessaging(settings) as queued:
        await _enqueue_all(queued, enqueue, WARM_UP)
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        await _enqueue_all(queued, enqueue, records)
        seconds, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    return (
        Figure(name=f"{name}/s for each core that the process used", value=records / cpu_s, goal=at_least(20_000)),
        Figure(name=f"{name}/s by the clock", value=records / seconds),
    )


async def _enqueue_all(queued: QueuedMessaging, enqueue: Enqueue, records: int) -> None:
    numbers = iter(range(records))

    async def work() -> None:
        for number in numbers:
            await enqueue(queued, number)

    async with asyncio.TaskGroup() as group:
        for _ in range(TASKS):
            group.create_task(work())


def _change(queued: QueuedMessaging, number: int) -> Awaitable[Written]:
    return queued.enqueue_identify(
        f"user-{number}",
        email=f"user-{number}@example.com",
        first_name="Ada",
        last_name="Lovelace",
        plan="pro",
        created_at=1_735_689_600,
        marketing_opt_in=True,
        transactional_opt_in=True,
        attributes={"city": "London", "visits": number},
        version=number,
    )


def _event(queued: QueuedMessaging, number: int) -> Awaitable[Written]:
    return queued.enqueue_track(
        "order_completed",
        user_id=f"user-{number % 1_000}",
        id=f"event-{number}",
        data={"total": number / 100, "currency": "EUR", "items": number % 7},
    )
