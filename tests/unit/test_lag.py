"""How old the oldest record without a conclusion is: what is not known never looks like no lag."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from faust.types import TP

from schemas.chunk import Chunk
from streams.kafka.lag import LEAST_S, Lag
from tests.builders import make_chunk
from tests.unit.input_records import InputRecord

PLACE = TP("user-changes", 0)
OTHER = TP("user-changes", 1)


@dataclass(slots=True)
class World:
    """A worker with one partition, whose clock, position and end are set by hand."""

    now_s: float = 1_000.0
    ours: list[TP] = field(default_factory=lambda: [PLACE])
    where: int | None = 10
    until: int | None = 10
    chunks: list[Chunk] = field(default_factory=list)
    passed: Mapping[TP, int] = field(default_factory=dict)
    last_ms: Mapping[TP, int] = field(default_factory=dict)
    told_ago_s: float = 0.0

    def assigned(self) -> Sequence[TP]:
        """As set."""
        return self.ours

    def told_s(self, tp: TP) -> float:  # noqa: ARG002 - the port's signature
        """As set."""
        return self.now_s - self.told_ago_s

    def in_hand(self, tp: TP) -> Sequence[Chunk]:
        """As set, for the one partition."""
        return self.chunks if tp == PLACE else []

    def lag(self) -> Lag:
        """Look at this."""
        return Lag(lambda: self, position=lambda _: self.where, end=lambda _: self.until, clock_s=lambda: self.now_s)


def seconds(lag: Lag) -> float:
    """Of the one partition."""
    ((labels, value),) = lag.seconds()
    assert labels == ("user-changes", "0")
    return value


def records(lag: Lag) -> list[float]:
    """Of all that is known."""
    return [value for _, value in lag.records()]


def chunk(*timestamps_s: float, start: int = 10) -> Chunk:
    """Records from there on, each with its time."""
    return make_chunk(
        [InputRecord(offset=start + at, timestamp=int(each * 1000)) for at, each in enumerate(timestamps_s)]
    )


def test_without_lag_it_is_nothing() -> None:
    """All that is there is concluded."""
    world = World()

    assert (seconds(world.lag()), records(world.lag())) == (0, [0])


def test_what_is_in_hand_says_when_it_was_written() -> None:
    """The oldest that is not concluded counts, in whichever chunk it stands."""
    world = World(until=14, chunks=[chunk(900, 950), chunk(960, 970, start=12)])
    lag = world.lag()
    ages = []
    for world.where in (10, 11, 12, 13):
        ages.append(seconds(lag))

    assert ages == [100, 50, 40, 30]
    assert records(lag) == [1]


@pytest.mark.parametrize("chunks", [[chunk(5_000, 900, 950)], [chunk(5_000), chunk(900, 950, start=11)]])
def test_a_record_from_a_clock_that_is_ahead_does_not_hide_those_behind_it(chunks: list[Chunk]) -> None:
    """In one chunk, and in the next."""
    world = World(until=13, chunks=chunks)

    assert seconds(world.lag()) == 100


@pytest.mark.parametrize(("where", "until"), [(None, 10), (10, None), (None, None), (10, 11)])
def test_what_is_not_known_grows(where: int | None, until: int | None) -> None:
    """A ledger that is being read back, an end that nobody told, a record that nobody fetches: since it is ours."""
    world = World(where=where, until=until)
    lag = world.lag()
    first = seconds(lag)
    world.now_s += 60

    assert (first, seconds(lag)) == (LEAST_S, 60)


def test_a_record_that_was_not_fetched_came_after_there_was_no_lag() -> None:
    """Which was seen by chance, or by looking now and then."""
    world = World()
    lag = world.lag()
    world.now_s = 1_300
    lag.look()
    world.now_s, world.until = 1_304, 11

    assert seconds(lag) == 4


def test_who_is_cut_off_from_kafka_is_not_without_lag() -> None:
    """What came meanwhile nobody knows: it grows from when Kafka last told that all was concluded."""
    world = World()
    lag = world.lag()
    ages = []
    for world.told_ago_s in (0, 14, 16, 60):
        world.now_s = 1_000 + world.told_ago_s
        ages.append(seconds(lag))

    assert ages == [0, 0, 16, 60]


def test_between_two_chunks_of_a_backlog_it_does_not_fall() -> None:
    """What comes next was written after what was concluded last."""
    world = World(until=99)
    lag = world.lag()
    lag.look()
    world.now_s, world.last_ms = 2_000.0, {PLACE: 1_400_000}

    assert seconds(lag) == 600


def test_a_publishers_clock_that_is_ahead_does_not_hide_it() -> None:
    """What was concluded last says nothing then."""
    world = World(until=99, last_ms={PLACE: 9_000_000})
    lag = world.lag()
    lag.look()
    world.now_s = 1_060

    assert seconds(lag) == 60


def test_a_partition_that_comes_back_begins_anew() -> None:
    """It was another's meanwhile."""
    world = World(until=None)
    lag = world.lag()
    lag.look()
    world.ours = []
    world.now_s = 2_000
    lag.look()
    world.ours = [PLACE]
    world.now_s = 3_000

    assert seconds(lag) == LEAST_S


def test_what_holds_no_records_is_no_lag() -> None:
    """A transaction's marker has an offset too, and nothing comes of it."""
    world = World(until=11, passed={PLACE: 11})

    assert (seconds(world.lag()), records(world.lag())) == (0, [0])


def test_a_chunk_in_hand_is_lag_however_far_was_fetched() -> None:
    """It is fetched, and not concluded."""
    world = World(until=11, passed={PLACE: 11}, chunks=[chunk(900)])

    assert (seconds(world.lag()), records(world.lag())) == (100, [1])


def test_a_clock_behind_kafkas_does_not_hide_lag() -> None:
    """It is a little, and not none."""
    world = World(until=11, chunks=[chunk(5_000)])

    assert seconds(world.lag()) == LEAST_S


def test_every_partition_that_is_ours_is_told() -> None:
    """Each by its own."""
    world = World(ours=[PLACE, OTHER], until=11, chunks=[chunk(900)])

    assert [labels for labels, _ in world.lag().seconds()] == [("user-changes", "0"), ("user-changes", "1")]
