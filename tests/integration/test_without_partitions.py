"""More workers than partitions: one that has none is ready, and takes over properly what it is given later."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping

import confluent_kafka
import pytest
from faust.types import TP

from streams.delivery import assignment
from tests.conftest import SettingsFactory
from tests.integration import worker_in_process as process

TakeOver = Callable[[assignment.Assignment, Iterable[TP]], Awaitable[Mapping[TP, int]]]

RESTORE_S = 1.0
FIRST = "a"  # before Faust's client id: takes the only partition


async def test_a_worker_without_partitions_is_ready(settings_factory: SettingsFactory) -> None:
    """Else a rolling restart with a surplus of one would wait for ever."""
    settings = settings_factory(topic_partitions=1)
    with process.SecondMember(settings, client_id=FIRST) as first:
        await process.until(lambda: first.owns_some)
        async with process.running_app(settings) as worker:
            await process.until(lambda: worker.is_ready()[0])

            assert worker.is_ready()[1]["partitions"] == 0


async def test_a_partition_that_comes_back_is_restored_before_it_is_fetched(
    settings_factory: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after a time without any: what others have concluded meanwhile counts, and is not gone through again."""
    settings = settings_factory(topic_partitions=1)
    topic = settings.topic("user-changes")
    process.publish_malformed(settings, 5)
    async with process.running_app(settings) as worker:
        await process.until(lambda: worker.delivery.lanes.position(topic, 0) == 5)
        with process.SecondMember(settings, client_id=FIRST) as first:
            await process.until(lambda: not worker.delivery.assignment.owned and worker.is_ready()[0])
            process.publish_malformed(settings, 5)
            await first.commit(confluent_kafka.TopicPartition(topic, 0, 10))
            reached = list[int]()
            slow = _slowly(
                assignment.Assignment.take_over, lambda: reached.append(worker.delivery.lanes.position(topic, 0))
            )
            monkeypatch.setattr(assignment.Assignment, "take_over", slow)
            process.publish_malformed(settings, 5)
        await process.until(lambda: bool(worker.chunk_consumer.assignment()))

        assert not worker.is_ready()[0]
        assert dict(worker.lag.seconds())[topic, "0"] > 0  # for all that is known by now, it has some

        await process.until(lambda: worker.delivery.lanes.position(topic, 0) == 15)

        assert reached == [10]  # where the take-over begins, and nothing beyond
        assert not worker.crashed
        assert process.concluded(settings) == Counter((0, offset) for offset in (*range(5), *range(10, 15)))


def _slowly(take_over: TakeOver, at_the_end: Callable[[], None]) -> TakeOver:
    """Let there be time to fetch too early, and see what came of it."""

    async def slow(self: assignment.Assignment, partitions: Iterable[TP]) -> Mapping[TP, int]:
        start = await take_over(self, partitions)
        await asyncio.sleep(RESTORE_S)
        at_the_end()
        return start

    return slow
