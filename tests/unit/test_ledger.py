"""What is remembered of a worker's partitions, for how long and how much of it."""

from dataclasses import dataclass, field, replace

from agents.ports import Publication
from schemas.person_id import erased_key
from streams.delivery.ledger import Ledger
from streams.kafka.ledger_reader import LedgerRecord
from tests.builders import TOPICS, make_chunk, make_publication
from tests.unit.input_records import InputRecord

WINDOW_S = 100


@dataclass(slots=True)
class Clock:
    """Says what a test sets."""

    now_s: float = 10_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s


@dataclass(slots=True)
class World:
    """A ledger that owns partitions 0 and 1, and its clock."""

    clock: Clock = field(default_factory=Clock)
    entries_max: int = 1000
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(window_s=WINDOW_S, entries_max=self.entries_max, clock_s=self.clock)
        self.ledger.keep({0, 1})

    def knows(self, *fingerprints: bytes, partition: int = 0) -> list[bool]:
        """Which of them are remembered."""
        return [self.ledger.memory(partition).has_event(each) for each in fingerprints]

    def restore(self, *records: LedgerRecord) -> None:
        """Take over what was read back."""
        self.ledger.restore(records, TOPICS)

    def remember(self, *fingerprints: bytes, partition: int = 0) -> None:
        """Conclude events now."""
        self.ledger.remember(concluded(partition, self.clock.now_s, events=list(fingerprints)))


def concluded(partition: int, now_s: float, **parts: object) -> Publication:
    """A publication of one partition."""
    chunk = make_chunk([InputRecord(partition=partition)])
    return make_publication(chunk, concluded_s=now_s, **parts)


def person(value: bytes | None, *, partition: int = 0) -> LedgerRecord:
    """A record of the people's ledger."""
    return LedgerRecord("people", partition, b"u-1", value, 10_000)


def test_a_fingerprint_is_remembered_for_the_window() -> None:
    """Up to its last second and not beyond, even if nothing else happens in between."""
    world = World()
    world.remember(b"a")
    world.clock.now_s += WINDOW_S - 0.5

    assert world.knows(b"a") == [True]
    world.clock.now_s += 1
    assert world.knows(b"a") == [False]
    assert world.ledger.event_count() == 0


def test_a_repeat_within_the_window_starts_it_anew() -> None:
    """Delivered again means remembered from then on."""
    world = World()
    world.remember(b"a")
    world.clock.now_s += 60
    world.remember(b"a", b"b")
    world.clock.now_s += 60

    assert world.knows(b"a", b"b") == [True, True]


def test_a_restored_fingerprint_is_as_old_as_it_is() -> None:
    """What is beyond the window is not even taken in; what is within it ends on time, whatever was read after it."""
    world = World()
    world.restore(LedgerRecord("events", 0, b"new", None, 10_000))
    world.restore(LedgerRecord("events", 0, b"old", None, 9_950))
    world.restore(LedgerRecord("events", 0, b"gone", None, 9_900))

    assert (world.knows(b"new", b"old", b"gone"), world.ledger.event_count()) == ([True, True, False], 2)
    world.clock.now_s += 60
    assert world.knows(b"new", b"old") == [True, False]


def test_over_the_limit_the_oldest_are_forgotten_and_counted() -> None:
    """Across all partitions, and no more than need be."""
    world = World(entries_max=3)
    world.remember(b"a1", b"a2")
    world.clock.now_s += 1
    world.remember(b"b1", partition=1)
    world.clock.now_s += 1
    world.remember(b"c1")

    assert (world.ledger.evictions, world.ledger.event_count()) == (1, 3)
    assert (world.knows(b"a1", b"a2", b"c1"), world.knows(b"b1", partition=1)) == ([False, True, True], [True])


def test_one_chunk_over_the_limit_keeps_its_last() -> None:
    """A small limit remembers as many as it says."""
    world = World(entries_max=2)
    world.remember(b"a", b"b", b"c")

    assert (world.knows(b"a", b"b", b"c"), world.ledger.evictions) == ([False, True, True], 1)


def test_what_is_only_too_old_is_no_eviction() -> None:
    """The counter tells of want of room alone."""
    world = World(entries_max=2)
    world.remember(b"a", b"b")
    world.clock.now_s += WINDOW_S + 1
    world.remember(b"c", b"d")

    assert (world.knows(b"a", b"c"), world.ledger.evictions) == ([False, True], 0)


def test_persons_are_remembered_until_told_otherwise() -> None:
    """The last value counts; a null forgets."""
    world = World()
    for value in (b"1", b"2"):
        world.restore(person(value))
    assert (world.ledger.memory(0).person(b"u-1"), world.ledger.person_count()) == (b"2", 1)

    world.restore(person(None))
    world.restore(person(None))
    assert (world.ledger.memory(0).person(b"u-1"), world.ledger.person_count()) == (None, 0)


def test_an_erased_person_is_remembered_without_the_id() -> None:
    """Their state is found by its hash, and what is written next stands there too."""
    world = World()
    world.restore(person(b"old"))
    world.restore(replace(person(b"kept"), key=erased_key(b"u-1")))
    memory = world.ledger.memory(0)
    assert (memory.person(b"u-1"), memory.ledger_key(b"u-1")) == (b"old", b"u-1")

    world.restore(person(None))
    assert (memory.person(b"u-1"), memory.ledger_key(b"u-1")) == (b"kept", erased_key(b"u-1"))
    assert (memory.person(b"u-2"), memory.ledger_key(b"u-2")) == (None, b"u-2")


def test_what_is_committed_is_remembered_in_its_partition() -> None:
    """Another partition's memory knows nothing of it."""
    world = World()
    world.ledger.remember(concluded(1, 10_000, people=[(b"u-1", b"state")], events=[b"a"]))

    assert (world.ledger.memory(1).person(b"u-1"), world.ledger.memory(0).person(b"u-1")) == (b"state", None)
    assert (world.knows(b"a", partition=1), world.knows(b"a")) == ([True], [False])


def test_a_partition_that_stays_keeps_what_it_has() -> None:
    """Memory and how far it was read; one that goes and comes back starts from nothing."""
    world = World()
    world.restore(person(b"1"))
    world.ledger.memory(0).position["people"] = 7
    world.restore(person(b"1", partition=1))

    kept = world.ledger.keep({0, 2})
    assert (kept[0].person(b"u-1"), kept[0].position, kept[2].position) == (b"1", {"people": 7}, {})

    kept = world.ledger.keep({1})
    assert (list(kept), kept[1].person(b"u-1"), kept[1].position) == ([1], None, {})


def test_what_comes_for_a_partition_that_was_taken_away_is_dropped() -> None:
    """A commit or a read-back that a rebalance overtook; the next owner reads it from the log."""
    world = World()
    world.ledger.keep({1})
    world.ledger.remember(concluded(0, 10_000, people=[(b"u-1", b"state")], events=[b"a"]))
    world.restore(person(b"1"))
    world.restore(LedgerRecord("events", 0, b"a", None, 10_000))

    assert (world.ledger.person_count(), world.ledger.event_count()) == (0, 0)
