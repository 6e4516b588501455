"""A place of BigQuery's that cannot be taken over keeps the loader from no other one."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, cast

import pytest

from schemas.record import Stored
from streams.warehouse.gathering import Kind
from streams.warehouse.loader import Loader
from streams.warehouse.loader_metrics import LoaderMetrics
from streams.warehouse.port import Batch, Place
from streams.warehouse.source import Reached, Source
from streams.warehouse.starts import OnKafka, Start
from streams.warehouse.tables import WEBHOOKS
from streams.warehouse.webhook_rows import webhook_row
from tests.fake_bigquery.world import World, bigquery_world
from tests.fake_bigquery.write_service import Fault
from tests.warehouse_world import INCARNATION, place, stored, webhook_batch, webhook_body

TOPIC: Final = "customerio-webhooks"
STUCK: Final = place()


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty dataset."""
    with bigquery_world() as made:
        yield made


class ScriptedSource:
    """Does one step at each poll, which gives what has come; then it stops the loader."""

    def __init__(self, steps: Sequence[Callable[[], list[Stored]]], stop: threading.Event) -> None:
        self.ours = [(TOPIC, 0), (TOPIC, 1)]
        self.is_changed = True
        self.held: list[set[Place]] = []
        self.committed: list[tuple[int, int]] = []
        self._steps, self._stop = iter(steps), stop

    def poll(self, _: float) -> Sequence[Stored | Reached]:
        """What the next step gives, and an end that makes it due."""
        if self.is_changed:
            return []
        step = next(self._steps, None)
        if step is None:
            self._stop.set()
            return []
        return [*step(), *(Reached(each, 0) for each in self.ours)]

    def look(self) -> dict[tuple[str, int], OnKafka]:
        """Both partitions, whole."""
        return {each: OnKafka(INCARNATION, 0, 9) for each in self.ours}

    def topic_ids(self) -> dict[str, str]:
        """As it always was."""
        return {TOPIC: INCARNATION}

    def go_on(self, _: Mapping[tuple[str, int], Start]) -> None:
        """The script says whence."""
        self.is_changed = False

    def hold(self, places: Collection[Place]) -> None:
        """Note it."""
        self.held.append(set(places))

    def commit(self, batches: Sequence[Batch]) -> None:
        """Note it."""
        self.committed += [(each.place.partition, each.next_offset) for each in batches]

    def close(self) -> None:
        """Nothing to do."""


def test_a_place_that_cannot_be_taken_over_is_held_and_the_others_go_on(world: World) -> None:
    """Nothing more of it is read; once BigQuery lets us, what was kept is loaded too."""
    world.prepared().append([webhook_batch([webhook_body("a")])])
    world.write.faults.extend([Fault(on="finalise")] * 1_000)
    stop = threading.Event()

    def record(event_id: str, offset: int, partition: int) -> Stored:
        return stored(webhook_body(event_id), offset, partition=partition)

    def mended() -> list[Stored]:
        world.write.faults.clear()
        return []

    source = ScriptedSource(
        [lambda: [record("b", 1, 0), record("c", 0, 1)], lambda: [record("d", 1, 1)], list, mended], stop
    )
    loader = Loader({TOPIC: Kind(WEBHOOKS, webhook_row)}, world.warehouse(), LoaderMetrics(), stop=stop, once=True)
    loader.run(lambda: cast(Source, source))

    assert [(1, 1), (1, 2), (0, 2)] == source.committed
    assert ([{STUCK}, {STUCK}, {STUCK}, set()], None) == (source.held, loader.waiting)
    assert {"a", "b", "c", "d"} == {row["event_id"] for row in world.rows()}
