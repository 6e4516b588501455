"""How a lane is held for a flood, and what lets it go on: an operator, or a probe."""

import asyncio
from collections.abc import Callable, Iterable

import pytest
from structlog.testing import capture_logs

from schemas.record import Record
from streams.delivery.flood_guard import LOOK_S, PROBE_S_MAX, pause_s, without_addresses
from tests.fake_time import fake_timed
from tests.flood_world import TOPIC, FloodWorld

HOUR_S = 3_600.0


class Probes:
    """The nth probe passes when the nth of `passes` is so; `tried` holds when, after how many seconds, and what."""

    def __init__(self, passes: Callable[[int], bool] = lambda _: False) -> None:
        self._passes = passes
        self._started = asyncio.get_running_loop().time()
        self.tried: list[tuple[float, int]] = []

    async def __call__(self, record: Record) -> bool:
        """Try a suspect."""
        self.tried.append((round(asyncio.get_running_loop().time() - self._started, 1), record.offset))
        return self._passes(len(self.tried))


async def held_for(world: FloodWorld, probes: Probes, *, floods_before: int = 0) -> float:
    """Wait a flood out; how many seconds it took."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    await world.guard.wait_out(world.flood(), probes, floods_before=floods_before)
    return loop.time() - started


@fake_timed
async def test_what_is_no_flood_is_counted() -> None:
    """So that later chunks add to it; a flood itself is not."""
    world = FloodWorld()

    assert world.judge(90, 90) is None
    assert world.judge(10, 10) is not None
    assert world.judge(9, 9) is None


@fake_timed
async def test_what_an_operator_has_asked_for_is_never_held() -> None:
    """A replay of dead letters may well end as dead letters."""
    assert FloodWorld().judge(2_000, 2_000, topic="exempt") is None


@fake_timed
async def test_probes_come_at_growing_intervals_with_a_suspect_each() -> None:
    """One record that stays dead for a reason of its own does not keep the others from going on."""
    world, probes = FloodWorld(), Probes(lambda number: number == 8)
    await held_for(world, probes)

    assert probes.tried == [(1, 0), (3, 1), (7, 2), (15, 3), (31, 4), (61, 5), (91, 6), (121, 7)]


@fake_timed
async def test_a_probe_that_passes_lets_the_topic_begin_anew() -> None:
    """What was counted before says nothing any more."""
    world = FloodWorld()
    assert world.judge(99, 99) is None
    took_s = await held_for(world, Probes(lambda _: True))

    assert took_s == pytest.approx(1, abs=0.01)
    assert world.judge(99, 99) is None


@fake_timed
async def test_the_pauses_go_on_growing_when_a_chunk_floods_again() -> None:
    """Else a probe that passes for nothing would send the whole chunk every second."""
    world, probes = FloodWorld(), Probes(lambda _: True)

    assert await held_for(world, probes, floods_before=3) == pytest.approx(8, abs=0.01)
    assert pause_s(1_000) == PROBE_S_MAX


@fake_timed
async def test_a_topic_that_is_resumed_already_is_not_held() -> None:
    """It was said to another worker, or before a restart: from now on it is known here."""
    world, probes = FloodWorld(), Probes()
    world.resumed.said.add(TOPIC)

    assert await held_for(world, probes) == pytest.approx(0, abs=0.01)
    assert (probes.tried, world.observer.floods) == ([], [])
    assert world.judge(2_000, 2_000) is None


@fake_timed
async def test_an_operators_word_is_heard_within_seconds() -> None:
    """However long the lane has been held; and the word on another topic is none on this."""
    world = FloodWorld()
    world.resumed.said.add("domain-events")
    held = asyncio.create_task(held_for(world, Probes()))
    await asyncio.sleep(HOUR_S)
    world.resumed.said.add(TOPIC)
    took_s = await held

    assert HOUR_S < took_s <= HOUR_S + LOOK_S + 0.01


@fake_timed
async def test_while_nothing_is_held_nobody_is_asked() -> None:
    """Kafka is not polled for what is rare."""
    world = FloodWorld()
    for _ in range(100):
        world.judge(100, 50)

    assert world.resumed.looks == 0


@fake_timed
async def test_what_is_held_is_told() -> None:
    """By topic, with reason and partitions, and only for so long."""
    world = FloodWorld()
    held = asyncio.create_task(held_for(world, Probes(lambda number: number == 2)))
    await asyncio.sleep(2)

    assert world.guard.told() == {TOPIC: {"reason": "malformed", "partitions": [0]}}
    assert world.guard.held_by_reason() == {(TOPIC, "malformed"): 1}

    await held

    assert (world.guard.told(), world.guard.held_by_reason()) == ({}, {})
    assert world.observer.floods == [(TOPIC, "malformed")]


@fake_timed
async def test_one_line_says_why_it_is_held_and_one_why_it_goes_on() -> None:
    """With an example to look at, and what to do; never with content."""
    with capture_logs() as lines:
        await held_for(FloodWorld(), Probes(lambda number: number == 3))
    first, last = lines

    assert {name: first[name] for name in ("log_level", "share", "records", "reason", "example", "detail")} == {
        "log_level": "warning",
        "share": 1.0,
        "records": 200,
        "reason": "malformed",
        "example": "user-changes/0/0",
        "detail": "user.id: is missing",
    }
    assert "cio-streams dlq resume" in first["advice"]
    assert (last["log_level"], last["why"]) == ("info", "a probe was no dead letter any more")


@pytest.mark.parametrize(
    ("detail", "shown"),
    [("invalid email: ada@example.com is no", "invalid email: *** is no"), ("user.id: is missing",) * 2],
)
def test_an_address_does_not_get_into_the_log(detail: str, shown: str) -> None:
    """Customer.io's words are its own."""
    assert without_addresses(detail) == shown


@fake_timed
async def test_a_hold_ends_when_its_lane_is_cancelled() -> None:
    """Nothing is left behind of it."""
    world = FloodWorld()
    held: Iterable[asyncio.Task[float]] = [asyncio.create_task(held_for(world, Probes())) for _ in range(3)]
    await asyncio.sleep(10)
    for each in held:
        each.cancel()
    await asyncio.wait(held)

    assert world.guard.told() == {}
