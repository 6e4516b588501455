"""Loads webhooks and results from Kafka into the warehouse, each row once. One thread, which waits for either side.

The warehouse's progress is the truth: it goes with the rows, so whatever ends this process, or takes its partitions,
the next one goes on behind the last row that is there.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import structlog

from schemas.errors import UnavailableError
from streams.kafka.partition_reader import Place as Partition
from streams.warehouse.gathering import Gathering, Kind
from streams.warehouse.loader_metrics import LoaderMetrics
from streams.warehouse.places import topic_id_of
from streams.warehouse.port import Batch, Place, Warehouse
from streams.warehouse.source import Reached, Source
from streams.warehouse.starts import Start, start_at

POLL_S: Final = 0.1
PAUSE_S: Final = 0.5
PAUSE_S_MAX: Final = 30.0
UNDECIDED: Final = "Kafka has not said which partitions are ours"

log = structlog.get_logger()


class Loader:
    """Loads until `stop` is set, or (`once`) until all is loaded that was there; `kinds` are topics by full names.

    Attributes:
        waiting: for what, None while work goes on.
        is_begun: whether it is known where every partition of ours goes on.
        turned_s: when it last went on, or said that it waits for what it can do without, by the monotonic clock: not
            while it has no partitions, for a member that the group has lost would wait so for ever.
    """

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        warehouse: Warehouse,
        metrics: LoaderMetrics,
        *,
        stop: threading.Event,
        once: bool = False,
    ) -> None:
        self.waiting: str | None = None
        self.is_begun = False
        self.turned_s = time.monotonic()
        self._warehouse = warehouse
        self._metrics = metrics
        self._stop = stop
        self._once = once
        self._kinds = kinds
        self._starts: Mapping[Partition, Start] = {}
        self._gathering = Gathering({}, self._kinds)
        self._at_end: set[Partition] = set()
        self._held: set[Place] = set()

    def run(self, open_source: Callable[[], Source]) -> None:
        """Load what comes from there; it is closed afterwards, and so is the warehouse.

        It is opened when the warehouse is ready: a consumer that nobody asks for long is no member of its group.

        Raises:
            StreamsError: the warehouse cannot be used, or another loader has taken our place.
        """
        try:
            self._warehouse.prepare()
            source = open_source()
            try:
                self._load_from(source)
            finally:
                source.close()
        finally:
            self._warehouse.close()

    def _load_from(self, source: Source) -> None:
        while not self._stop.is_set() and not self._is_through():
            self._turn(source)
        if not source.is_changed:
            self._load(source)

    def _turn(self, source: Source) -> None:
        if source.ours is not None:
            self.turned_s = time.monotonic()
        try:
            told = source.poll(POLL_S)
        except UnavailableError as error:
            self._wait(str(error), PAUSE_S)
            return
        if source.is_changed:
            self._begin(source)
            return
        now_s = time.monotonic()
        for each in told:
            if isinstance(each, Reached):
                self._gathering.reached(each.partition, each.offset, now_s=now_s)
                self._at_end.add(each.partition)
            else:
                self._gathering.take(each, now_s=now_s)
        if self._gathering.is_due(now_s=now_s) or self._is_at_end():
            self._load(source)

    def _begin(self, source: Source) -> None:
        """What was gathered is forgotten: it is read again by whoever has the partitions now."""
        self.is_begun = False
        self._gathering, self._at_end, self._held = Gathering({}, self._kinds), set(), set()
        if source.ours is None:
            self.waiting = UNDECIDED
            return
        try:
            found, progress = source.look(), self._warehouse.progress()
        except UnavailableError as error:
            self._wait(str(error), PAUSE_S)
            return
        self._starts = {each: start_at(*each, told, progress) for each, told in found.items()}
        for start in self._starts.values():
            if start.remark:
                log.warning(start.remark, place=str(start.place), offset=start.offset, missed=start.missed)
                self._metrics.missed(start.missed)
        self._gathering = Gathering(self._starts, self._kinds)
        source.go_on(self._starts)
        self.waiting, self.is_begun = None, True
        log.info("loading", partitions=len(self._starts))

    def _load(self, source: Source) -> None:
        """Load what was gathered, as often as it takes; rows of a topic that is another one by now are not its rows."""
        batches = self._gathering.batches()
        if not batches:
            return
        for pause_s in _pauses():
            started_s = time.monotonic()
            try:
                if not self._is_still_there(source):
                    return
                troubles = self._warehouse.append(batches)
            except UnavailableError as error:
                self._metrics.tried(time.monotonic() - started_s, is_loaded=False)
                if self._held.issuperset(each.place for each in batches):
                    troubles = dict.fromkeys(self._held, str(error))  # the others may have something by now
                    break
                if self._wait(str(error), pause_s):
                    return
            else:
                self._metrics.tried(time.monotonic() - started_s, is_loaded=not troubles)
                break
        self._go_on(source, batches, troubles)

    def _go_on(self, source: Source, batches: Sequence[Batch], troubles: Mapping[Place, str]) -> None:
        """Some may not be loaded: they are kept, and nothing more of their places is read until they are."""
        if troubles:
            self._wait(next(iter(troubles.values())), 0)
        else:
            self.waiting = None
        loaded = [each for each in batches if each.place not in troubles]
        self._metrics.loaded(loaded, now_s=time.time())
        self._gathering.loaded(troubles.keys(), now_s=time.monotonic())
        if self._held or troubles:
            self._held = set(troubles)
            source.hold(self._held)
        if loaded:
            source.commit(loaded)

    def _is_still_there(self, source: Source) -> bool:
        ids = source.topic_ids()
        if all(topic_id_of(start.place.incarnation) == ids[partition[0]] for partition, start in self._starts.items()):
            return True
        source.look_again()
        return False

    def _is_at_end(self) -> bool:
        return self._once and self.is_begun and self._at_end >= self._starts.keys()

    def _is_through(self) -> bool:
        return self._is_at_end() and not self._gathering.batches()

    def _wait(self, why: str, pause_s: float) -> bool:
        """Say what is waited for, once; whether we are asked to stop meanwhile."""
        if why != self.waiting:
            log.warning("waiting", why=why)
        self.waiting, self.turned_s = why, time.monotonic()
        return self._stop.wait(pause_s)


def _pauses() -> Iterator[float]:
    pause_s = PAUSE_S
    while True:
        yield pause_s
        pause_s = min(pause_s * 2, PAUSE_S_MAX)
