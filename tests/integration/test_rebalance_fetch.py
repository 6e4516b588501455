"""A fetch that a rebalance overtakes loses nothing: what it brings too late is fetched again, from the cursor."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pytest
from faust.types import TP

from streams.app import AGENTS
from streams.delivery import assignment
from streams.kafka import consumer_thread
from tests.conftest import SettingsFactory
from tests.integration import worker_in_process as process

RECORDS: Final = 7  # on each partition
RESTORE_S: Final = 1.0


class _Gate:
    """Holds one call of the consumer's thread: at its beginning, or with what it has fetched already in its hands."""

    def __init__(self, *, holds_records: bool) -> None:
        self._holds_records = holds_records
        self._fetch_records = consumer_thread.ConsumerThread._fetch_records
        self.reached = threading.Event()  # of the consumer's thread
        self.opened = threading.Event()

    def hold(self) -> Callable[..., Any]:
        """The thread's method, with the gate in it."""

        async def fetch_records(thread: consumer_thread.ConsumerThread, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as there
            if not self._holds_records:
                await self._pass()
            found = await self._fetch_records(thread, *args, **kwargs)
            if found:
                await self._pass()
            return found

        return fetch_records

    async def _pass(self) -> None:
        self.reached.set()
        while not self.opened.is_set():  # noqa: ASYNC110 - another thread opens it
            await asyncio.sleep(process.POLL_S)


@pytest.mark.parametrize("holds_records", [False, True])
async def test_a_fetch_that_a_rebalance_overtakes_loses_nothing(
    settings_factory: SettingsFactory, monkeypatch: pytest.MonkeyPatch, *, holds_records: bool
) -> None:
    """Every record of the partition that stayed has one result, whether the late fetch moved its position or not."""
    settings, gate = settings_factory(), _Gate(holds_records=holds_records)
    monkeypatch.setattr(consumer_thread.ConsumerThread, "_fetch_records", gate.hold())
    process.publish_malformed(settings, RECORDS)
    async with process.running_app(settings) as worker:
        await process.until(gate.reached.is_set)
        with process.SecondMember(settings, client_id="z"):
            await process.until(
                lambda: len(worker.delivery.assignment.owned) == len(AGENTS) and worker.chunk_consumer.flow_active
            )
            gate.opened.set()
            (stayed,) = {tp.partition for tp in worker.delivery.assignment.owned}
            await process.until(
                lambda: worker.delivery.lanes.position(settings.topic("user-changes"), stayed) == RECORDS
            )

            assert worker.chunk_consumer.rewinds == 1
            assert process.concluded(settings) == Counter((stayed, offset) for offset in range(RECORDS))


async def test_nothing_is_fetched_before_it_is_taken_over(
    settings_factory: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when the recovery of a rebalance that was overtaken by this one lets records flow again."""
    settings, reached = settings_factory(), list[int]()
    topic, take_over = settings.topic("user-changes"), assignment.Assignment.take_over
    process.publish_malformed(settings, RECORDS)
    async with process.running_app(settings) as worker:

        def position() -> int:
            return sum(worker.delivery.lanes.position(topic, partition) for partition in range(2))

        async def slow(self: assignment.Assignment, partitions: Iterable[TP]) -> Mapping[TP, int]:
            worker.flow_control.resume()
            worker.chunk_consumer.resume_flow()
            process.publish_malformed(settings, RECORDS)
            await asyncio.sleep(RESTORE_S)
            reached.append(position())
            return await take_over(self, partitions)

        await process.until(lambda: position() == 2 * RECORDS)
        monkeypatch.setattr(assignment.Assignment, "take_over", slow)
        with process.SecondMember(settings, client_id="z"):
            await process.until(lambda: len(worker.delivery.assignment.owned) == len(AGENTS))

            assert reached == [2 * RECORDS]
