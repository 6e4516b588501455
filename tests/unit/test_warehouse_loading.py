"""Where loading goes on, when a batch is due, and what the loader does while either side is away."""

import threading
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import pytest

from schemas.errors import UnavailableError
from schemas.record import Stored
from streams.warehouse import gathering
from streams.warehouse.gathering import Gathering, Kind
from streams.warehouse.loader import UNDECIDED, Loader
from streams.warehouse.loader_metrics import LoaderMetrics
from streams.warehouse.port import Batch, Place
from streams.warehouse.source import Reached, Source
from streams.warehouse.starts import OnKafka, Start, start_at
from streams.warehouse.tables import WEBHOOKS
from streams.warehouse.webhook_rows import webhook_row
from tests.warehouse_world import stored, webhook_body

TOPIC = "customerio-webhooks"
KINDS = {TOPIC: Kind(WEBHOOKS, webhook_row)}
PARTITION = (TOPIC, 0)
ID = "ab+c/d"  # as Kafka writes the ids of topics


def at(incarnation: str = ID) -> Place:
    """A place of the topic."""
    return Place(TOPIC, incarnation, 0)


def start(progress: Mapping[Place, int], *, oldest: int = 0, end: int = 100) -> Start:
    """Where the partition goes on."""
    return start_at(TOPIC, 0, OnKafka(ID, oldest, end), progress)


def test_loading_goes_on_where_the_warehouse_is() -> None:
    """Whatever other places it knows; a first time begins with the oldest."""
    others = {Place(TOPIC, ID, 1): 3, Place("another", ID, 0): 4}

    assert (at(), 42, None) == _told(start({at(): 42, **others}))
    assert (at(), 100, None) == _told(start({at(): 100}))
    assert (at(), 7, None) == _told(start(others, oldest=7))


def test_what_kafka_deleted_is_passed_over_and_counted() -> None:
    """Retention was faster."""
    found = start({at(): 42}, oldest=50)

    assert (at(), 50, 8) == (found.place, found.offset, found.missed)
    assert found.remark is not None
    assert "deleted" in found.remark


def test_a_topic_made_anew_begins_anew() -> None:
    """Also when it is longer than the old one was."""
    found = start({at("old"): 42}, oldest=3)

    assert (at(), 3, 0) == (found.place, found.offset, found.missed)
    assert found.remark is not None
    assert "made anew" in found.remark


def test_an_end_that_was_lost_makes_a_new_incarnation() -> None:
    """Each time another one; the last one counts."""
    first = start({at(): 142})
    second = start({at(): 142, first.place: 101})

    assert (at(f"{ID}#1"), 0) == (first.place, first.offset)
    assert (at(f"{ID}#2"), 0) == (second.place, second.offset)
    assert (at(f"{ID}#10"), 5, None) == _told(start({at(): 142, at(f"{ID}#9"): 130, at(f"{ID}#10"): 5}))


def _told(found: Start) -> tuple[Place, int, str | None]:
    return found.place, found.offset, found.remark


def gathered(first: int = 0) -> Gathering:
    """An empty one."""
    return Gathering({PARTITION: Start(place=at(), offset=first)}, KINDS)


def test_a_batch_is_due_by_seconds_rows_or_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever comes first; nothing is never due."""
    monkeypatch.setattr(gathering, "ROWS_MAX", 3)
    monkeypatch.setattr(gathering, "BYTES_MAX", 1_000)
    by_rows, by_bytes, by_time = gathered(), gathered(), gathered()
    by_time.take(stored(b"x"), now_s=10)
    by_bytes.take(stored(b"x" * 1_000), now_s=10)
    for offset in range(3):
        by_rows.take(stored(b"x", offset), now_s=10)

    assert [False, True, True] == [each.is_due(now_s=10) for each in (by_time, by_bytes, by_rows)]
    assert by_time.is_due(now_s=10 + gathering.SECONDS_MAX)
    assert not gathered().is_due(now_s=1e9)


def test_a_batch_reaches_over_offsets_without_a_record() -> None:
    """What was loaded is not given again."""
    lanes = gathered(5)
    lanes.take(stored(b"x", 7), now_s=0)
    lanes.reached(PARTITION, 9, now_s=0)
    (batch,) = lanes.batches()
    lanes.loaded()
    lanes.reached(PARTITION, 9, now_s=0)

    assert (at(), 5, 9, 1) == (batch.place, batch.first_offset, batch.next_offset, len(batch.rows))
    assert ([], False) == (list(lanes.batches()), lanes.is_due(now_s=1e9))


class FakeSource:
    """Gives what it was told to, poll by poll, from wherever it is told to go on; then stops the loader."""

    def __init__(self, records: Sequence[Stored], stop: threading.Event) -> None:
        self.is_changed = True
        self.ours: list[tuple[str, int]] | None = [PARTITION]
        self.ids: deque[str] = deque()
        self.committed: list[int] = []
        self.closed = False
        self._records, self._stop = records, stop
        self._ready: list[Stored | Reached] = []

    def poll(self, _: float) -> list[Stored | Reached]:
        """All that is left, once."""
        ready, self._ready = self._ready, []
        if not ready and not self.is_changed:
            self._stop.set()
        return ready

    def look(self) -> dict[tuple[str, int], OnKafka]:
        """The topic as it is now."""
        return {each: OnKafka(self._id(), 0, len(self._records)) for each in self.ours or []}

    def topic_ids(self) -> dict[str, str]:
        """As they are now."""
        return {TOPIC: self._id()}

    def go_on(self, starts: Mapping[tuple[str, int], Start]) -> None:
        """From there."""
        for start in starts.values():
            self._ready = [*self._records[start.offset :], Reached(PARTITION, len(self._records))]
        self.is_changed = False

    def look_again(self) -> None:
        """Wait to be told."""
        self.is_changed = True

    def hold(self, _: Collection[Place]) -> None:
        """Nothing more comes."""

    def commit(self, batches: Sequence[Batch]) -> None:
        """Note it."""
        self.committed += [batch.next_offset for batch in batches]

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def _id(self) -> str:
        return self.ids.popleft() if len(self.ids) > 1 else next(iter(self.ids), ID)


class FakeWarehouse:
    """Keeps batches; fails as often as it is told to."""

    def __init__(self, *, failures: int = 0) -> None:
        self.batches: list[Batch] = []
        self.tries = 0
        self._failures = failures

    def prepare(self) -> None:
        """Nothing to do."""

    def progress(self) -> dict[Place, int]:
        """Of the batches."""
        return {batch.place: batch.next_offset for batch in self.batches}

    def append(self, batches: Sequence[Batch]) -> Mapping[Place, str]:
        """Keep them, or fail."""
        self.tries += 1
        if self.tries <= self._failures:
            raise UnavailableError("the disk is full")
        self.batches += batches
        return {}

    def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
def stop() -> threading.Event:
    """Give what stops the loader."""
    return threading.Event()


def load(source: FakeSource, warehouse: FakeWarehouse, stop: threading.Event, **how: Any) -> Loader:  # noqa: ANN401 - the loader's
    """Run a loader to its end."""
    loader = Loader(KINDS, warehouse, LoaderMetrics(), stop=stop, **how)
    loader.run(lambda: cast(Source, source))
    return loader


def records(count: int) -> list[Stored]:
    """Webhooks whose offsets follow each other."""
    return [stored(webhook_body(f"e{offset}"), offset) for offset in range(count)]


def test_what_was_read_is_loaded_before_it_ends(stop: threading.Event) -> None:
    """And the group is told how far it is."""
    source, warehouse = FakeSource(records(3), stop), FakeWarehouse()
    load(source, warehouse, stop)

    assert [(0, 3, 3)] == [(each.first_offset, each.next_offset, len(each.rows)) for each in warehouse.batches]
    assert ([3], True) == (source.committed, source.closed)


def test_once_it_ends_when_all_is_loaded(stop: threading.Event) -> None:
    """Nobody has to stop it."""
    warehouse = FakeWarehouse()
    load(FakeSource(records(2), stop), warehouse, stop, once=True)

    assert ({at(): 2}, False) == (warehouse.progress(), stop.is_set())


def test_a_warehouse_that_is_away_is_waited_for(stop: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same batch is given again, and nothing is committed before it is taken."""
    monkeypatch.setattr("streams.warehouse.loader.PAUSE_S", 0.001)
    source, warehouse = FakeSource(records(2), stop), FakeWarehouse(failures=3)
    loader = load(source, warehouse, stop, once=True)

    assert (4, {at(): 2}, [2], None) == (warehouse.tries, warehouse.progress(), source.committed, loader.waiting)


def test_told_to_stop_it_waits_for_nothing(stop: threading.Event) -> None:
    """What is not loaded is loaded by the next one."""
    source, warehouse = FakeSource(records(2), stop), FakeWarehouse(failures=10)
    loader = load(source, warehouse, stop)

    assert (1, [], "the disk is full") == (warehouse.tries, source.committed, loader.waiting)


def test_rows_of_a_topic_that_was_made_anew_meanwhile_are_not_loaded(stop: threading.Event) -> None:
    """They were read, perhaps, of the new one at the old one's offsets: it looks again where to begin."""
    source, warehouse = FakeSource(records(2), stop), FakeWarehouse()
    source.ids = deque([ID, "anew"])
    load(source, warehouse, stop, once=True)

    assert {at("anew"): 2} == warehouse.progress()


def test_the_group_is_joined_when_the_warehouse_is_ready(stop: threading.Event) -> None:
    """A file may be waited for longer than a group waits for a member that does not ask."""
    steps: list[str] = []
    warehouse, source = FakeWarehouse(), FakeSource([], stop)
    warehouse.prepare = lambda: steps.append("ready")  # type: ignore[method-assign]  # a fake's own

    def join() -> Source:
        steps.append("joined")
        return cast(Source, source)

    Loader(KINDS, warehouse, LoaderMetrics(), stop=stop).run(join)

    assert ["ready", "joined"] == steps


def test_before_the_group_has_decided_nothing_is_through(stop: threading.Event) -> None:
    """But a loader that was given no partition has nothing to do, and is ready."""
    source, warehouse = FakeSource([], stop), FakeWarehouse()
    source.ours = None
    threading.Timer(0.05, stop.set).start()
    undecided = load(source, warehouse, stop, once=True)

    assert (True, False) == (stop.is_set(), undecided.is_begun)
    assert undecided.waiting == UNDECIDED
    assert time.monotonic() - undecided.turned_s >= 0.05  # a group that has lost it must not look like work


def test_a_loader_without_partitions_is_ready() -> None:
    """There may be more loaders than partitions, where an engine takes several."""
    source = FakeSource([], threading.Event())
    source.ours = []
    loader = load(source, FakeWarehouse(), threading.Event(), once=True)

    assert loader.is_begun
