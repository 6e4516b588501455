"""Asks the broker for the ends of our partitions now and then: one that is held is not fetched, and shows no lag."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

from aiokafka.errors import KafkaError
from faust.types import TP

from streams.kafka.transport import Consumer

LOOK_S = 5.0


class Ends:
    """The ends as they were told last."""

    def __init__(self) -> None:
        self._told: Mapping[TP, int] = {}

    async def follow(self, consumer: Consumer, look: Callable[[], None]) -> None:
        """Ask until cancelled, and look each time; while Kafka is away the last answer stays."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not _is_up(consumer):
                continue
            with contextlib.suppress(KafkaError):
                self._told = await _ends(consumer)
            look()

    def of(self, tp: TP) -> int | None:
        """The offset that the partition's next record will have, or would have had a few seconds ago; None at first."""
        return self._told.get(tp)


def _is_up(consumer: Consumer) -> bool:
    """Whether its thread runs: as a worker stops, that ends first, and whatever is asked then is never begun."""
    return bool(consumer._thread.thread_loop.is_running())  # noqa: SLF001 - ours, but for its start


async def _ends(consumer: Consumer) -> Mapping[TP, int]:
    """Ask past the thread's queue: it must not wait for an answer that may take as long as Kafka is away."""
    thread = consumer._thread  # noqa: SLF001 - ours, but for its start
    asking = thread._ensure_consumer().end_offsets(list(consumer.cursor))  # noqa: SLF001 - as above
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asking, thread.thread_loop))
