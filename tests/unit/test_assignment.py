"""When partitions come and go: what is restored, from where, and what an overtaken rebalance must leave alone."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import cast

import pytest
from faust.types import TP

from schemas.send_memory import SendEntry, SendPlace, pack_entry
from streams.delivery.assignment import Assignment
from streams.delivery.budgets import Budgets
from streams.delivery.lanes import Lanes
from streams.delivery.ledger import Ledger
from streams.kafka.lease import Lease
from streams.kafka.ledger_reader import LedgerReader, LedgerRecord, Place
from streams.metrics.observers import Metrics
from streams.settings import Settings
from tests.builders import TOPICS

CHANGES, EVENTS = "user-changes", "domain-events"
SENT = SendEntry("concluded", "message", SendPlace("transactional-messages", 5), "sent")
Take = Callable[[list[LedgerRecord]], None]


@dataclass(slots=True)
class FakeReader:
    """Topics of the ledger in memory: two entries each; `meanwhile` happens while they are read."""

    starts: list[Mapping[Place, int]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    now_s: int = 10_000

    def next_offsets(self, places: Collection[Place]) -> dict[Place, int]:
        """Seven, everywhere."""
        self.order.append("committed")
        return dict.fromkeys(places, 7)

    def read(self, start: Mapping[Place, int], take: Take, is_current: Callable[[], bool]) -> dict[Place, int]:
        """Hand out what is beyond the start."""
        self.order.append("read")
        self.starts.append(dict(start))
        self.meanwhile()
        for topic, partition in start:
            if start[topic, partition] < 2:
                value = pack_entry(SENT) if topic == "sends" else b"state"
                take([LedgerRecord(topic, partition, b"%d" % n, value, self.now_s) for n in range(2)])
        return dict.fromkeys(start, 2) if is_current() else {}


@dataclass(slots=True)
class FakeLanes:
    """Notes drains."""

    drained: list[int] = field(default_factory=list)
    signs_of_life: int = 0
    meanwhile: Callable[[], None] = lambda: None
    begun: list[tuple[int, dict[tuple[str, int], int]]] = field(default_factory=list)

    def begin(self, epoch: int, starts: Mapping[tuple[str, int], int]) -> None:
        """Note it."""
        self.begun.append((epoch, dict(starts)))

    def restoring(self) -> None:
        """Count it."""
        self.signs_of_life += 1

    async def drain(self, epoch: int) -> None:
        """Note it."""
        self.meanwhile()
        self.drained.append(epoch)


class World:
    """An assignment with everything around it."""

    def __init__(self) -> None:
        self.epoch = 1
        self.reader = FakeReader()
        self.lanes = FakeLanes()
        self.ledger = Ledger(window_s=100, entries_max=100, clock_s=lambda: 10_000)
        self.budgets = Budgets(Settings(track_rate_per_s=100), Lease(10))
        self.budgets.partitions = {CHANGES: 4, EVENTS: 4}
        self.rates: list[float] = []
        self.owner = Assignment(
            ledger=self.ledger,
            reader=cast(LedgerReader, self.reader),
            lanes=cast(Lanes, self.lanes),
            budgets=self.budgets,
            metrics=Metrics(),
            topics=TOPICS,
            epoch=lambda: self.epoch,
        )

    def overtake(self) -> None:
        """The next rebalance begins."""
        self.epoch += 1

    def note_rate(self) -> None:
        """What may be sent now."""
        self.rates.append(self.budgets.throttles["track"].rate_per_s)


async def test_a_partition_is_restored_before_it_starts() -> None:
    """Persons and fingerprints, after the committed offsets are certain: a predecessor's last commit is in both."""
    world = World()
    start = await world.owner.take_over([TP(CHANGES, 3), TP(EVENTS, 3)])

    assert start == {TP(CHANGES, 3): 7, TP(EVENTS, 3): 7}
    assert (world.reader.order, world.reader.starts) == (
        ["committed", "read"],
        [{("people", 3): -1, ("events", 3): -1, ("sends", 3): -1}],
    )
    assert (world.ledger.person_count(), world.ledger.event_count()) == (2, 2)
    assert (world.owner.is_restored, set(world.owner.owned)) == (True, {TP(CHANGES, 3), TP(EVENTS, 3)})
    assert world.ledger.send_count() == 2
    assert world.lanes.signs_of_life == 1 + 3  # at its beginning, and with every block of entries


async def test_the_share_of_the_rate_is_that_of_the_partitions() -> None:
    """Ours from the take-over to the end of the drain: not a moment longer, because others have it then."""
    world = World()
    world.reader.meanwhile = world.lanes.meanwhile = world.note_rate
    await world.owner.take_over([TP(CHANGES, 3), TP(EVENTS, 3)])
    await world.owner.drain()
    world.note_rate()
    await world.owner.take_over([TP(CHANGES, 3)])
    world.note_rate()

    assert world.rates == [0, pytest.approx(25), 0, 0, pytest.approx(12.5)]


async def test_an_empty_assignment_is_ready() -> None:
    """A worker too many is healthy."""
    world = World()

    assert await world.owner.take_over([]) == {}
    assert world.owner.is_restored


async def test_what_stays_is_read_on_and_what_went_is_read_again() -> None:
    """Of a partition that stays only what is new."""
    world = World()
    for partitions in ([1, 2], [2], [1, 2]):
        await world.owner.take_over([TP(CHANGES, n) for n in partitions])

    assert world.reader.starts[1:] == [
        {("people", 2): 2, ("events", 2): 2, ("sends", 2): 2},
        {
            ("people", 1): -1,
            ("events", 1): -1,
            ("sends", 1): -1,
            ("people", 2): 2,
            ("events", 2): 2,
            ("sends", 2): 2,
        },
    ]


async def test_an_overtaken_take_over_changes_nothing_of_the_worker() -> None:
    """Not ready, no share, nothing owned; the next one reads from the start."""
    world = World()
    world.reader.meanwhile = world.overtake
    await world.owner.take_over([TP(CHANGES, 1)])

    assert (world.owner.is_restored, world.owner.owned, world.budgets.throttles["track"].rate_per_s) == (
        False,
        frozenset(),
        0,
    )
    world.reader.meanwhile = lambda: None
    await world.owner.take_over([TP(CHANGES, 1)])
    assert (world.reader.starts[1], world.owner.is_restored) == (
        {("people", 1): -1, ("events", 1): -1, ("sends", 1): -1},
        True,
    )


async def test_a_late_read_back_does_not_hurt_the_next() -> None:
    """It may still deliver for a partition that has gone."""
    world = World()
    world.reader.meanwhile = lambda: cast(None, world.ledger.keep({5}))
    await world.owner.take_over([TP(CHANGES, 1)])

    assert (world.ledger.person_count(), world.ledger.event_count()) == (0, 0)


async def test_a_drain_ends_readiness() -> None:
    """And tells the lanes which assignments are over."""
    world = World()
    await world.owner.take_over([TP(CHANGES, 1)])
    world.overtake()
    await world.owner.drain()

    assert (world.owner.is_restored, world.lanes.drained) == (False, [2])
