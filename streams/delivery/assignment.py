"""What happens when partitions come and go: ledger restored, the rates' shares set, work in flight drained."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog
from faust.types import TP

from streams.delivery.budgets import Budgets
from streams.delivery.lanes import Lanes
from streams.delivery.ledger import Ledger
from streams.kafka.ledger_reader import LedgerReader, LedgerRecord, Place
from streams.kafka.transactions import OutputTopics
from streams.metrics.observers import Metrics

log = structlog.get_logger()


class Assignment:
    """This worker's partitions, and what goes with them."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        reader: LedgerReader,
        lanes: Lanes,
        budgets: Budgets,
        metrics: Metrics,
        topics: OutputTopics,
        epoch: Callable[[], int],
    ) -> None:
        self.owned: frozenset[TP] = frozenset()
        self.is_restored = False
        self._ledger = ledger
        self._reader = reader
        self._lanes = lanes
        self._budgets = budgets
        self._metrics = metrics
        self._topics = topics
        self._epoch = epoch
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="restore")

    async def take_over(self, partitions: Iterable[TP]) -> Mapping[TP, int]:
        """Restore what is remembered of these partitions and return the offset to start each one at."""
        owned = frozenset(partitions)
        epoch = self._epoch()
        self._lanes.restoring()
        loop = asyncio.get_running_loop()
        places = {(tp.topic, tp.partition): tp for tp in owned}
        starts = await loop.run_in_executor(self._threads, self._reader.next_offsets, places)
        await self._restore({tp.partition for tp in owned}, starts, lambda: epoch == self._epoch())
        if epoch == self._epoch():
            self._lanes.begin(epoch, starts)
            self.owned = owned
            self.is_restored = True
            self._metrics.rebalances.inc()
            await self._budgets.own(owned)
            log.info("partitions assigned", partitions=sorted(f"{tp.topic}/{tp.partition}" for tp in owned))
        return {places[place]: offset for place, offset in starts.items()}

    async def _restore(self, partitions: set[int], starts: Mapping[Place, int], is_current: Callable[[], bool]) -> None:
        """Read the ledger from where it was read before: of a partition that stays with us, only what is new."""
        started = time.monotonic()
        memories = self._ledger.keep(partitions)
        self._ledger.begin(starts)
        start = {
            (topic, partition): memory.position.get(topic, -1)
            for partition, memory in memories.items()
            for topic in self._topics.ledger()
        }
        ends = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._reader.read, start, self._take, is_current
        )
        for (topic, partition), end in ends.items():
            memories[partition].position[topic] = end
        self._metrics.restore_s.set(time.monotonic() - started)

    def _take(self, records: list[LedgerRecord]) -> None:
        """Runs in the reader's thread: no lane works while partitions are being taken over."""
        self._lanes.restoring()
        self._ledger.restore(records, self._topics)

    async def drain(self) -> None:
        """Finish or abandon the work in flight; returns within the drain deadline.

        Until then the shares of the rates are ours: the group assigns nothing anew before all have drained.
        """
        self.is_restored = False
        if self.owned:
            log.info("partitions given back", partitions=len(self.owned))
        await self._lanes.drain(self._epoch())
        await self._budgets.own(())

    def close(self) -> None:
        """Give up what is still being read."""
        self._threads.shutdown(wait=False, cancel_futures=True)
