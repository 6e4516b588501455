"""Which lanes of sends are held, which wait for their turn, and which must be left to end."""

import asyncio

from schemas.answer import Answer
from streams.progress import Progress, work_for
from tests.fake_time import fake_timed
from tests.sends_world import DOWN, SendsWorld


def lane(name: str) -> Progress:
    """A lane."""
    return Progress(of={"lane": name}, stage="")


def begin(world: SendsWorld, progress: Progress, send_id: str, *, writes_s: float = 0.0) -> "asyncio.Task[object]":
    """Send for this lane."""

    async def work() -> object:
        work_for([progress])
        return await world.send(send_id, writes_s=writes_s)

    return asyncio.create_task(work())


@fake_timed
async def test_a_lane_is_busy_from_its_intent_to_its_conclusion() -> None:
    """Neither held nor in line: to give it up would leave open whether its send went out."""
    world, ours = SendsWorld(), lane("a")
    world.app.latency_s = 1.0
    sending = begin(world, ours, "a", writes_s=1.0)
    seen = []
    for _ in range(3):  # writing the intent, on the wire, writing the result
        await asyncio.sleep(0.7)
        world.epoch = 2
        seen.append((ours in world.messenger.busy(), world.messenger.held(), world.messenger.in_line()))
    await sending

    assert seen == [(True, set(), set())] * 3
    assert (world.messenger.busy(), world.messenger.in_line()) == (set(), set())


@fake_timed
async def test_a_lane_that_waits_at_the_breaker_is_held() -> None:
    """And in line: the watchdog does not look at it."""
    world, ours = SendsWorld(Answer(429, b"", 50.0)), lane("a")
    sending = begin(world, ours, "a")
    await asyncio.sleep(1)

    assert (world.messenger.busy(), world.messenger.held(), world.messenger.in_line()) == (set(), {ours}, {ours})
    sending.cancel()


@fake_timed
async def test_a_lane_is_held_only_when_none_of_its_sends_is_under_way() -> None:
    """The others of it have to wait."""
    world, ours, others = SendsWorld(DOWN, reads=[DOWN] * 9), lane("a"), lane("b")
    world.app.latency_s = 5
    tasks = [begin(world, ours, "a"), begin(world, others, "b")]
    await asyncio.sleep(1)
    world.breaker.open("outage", "test")
    tasks += [begin(world, ours, "c"), begin(world, lane("d"), "d")]
    await asyncio.sleep(1)

    assert [each.of["lane"] for each in world.messenger.held()] == ["d"]
    assert world.messenger.busy() == {ours, others}
    for task in tasks:
        task.cancel()


@fake_timed
async def test_once_the_assignment_is_over_who_has_not_begun_is_held() -> None:
    """A drain ends what is under way, and gives up the rest at once."""
    world, begun, waiting = SendsWorld(), lane("a"), lane("b")
    world.app.latency_s = 3
    sending = begin(world, begun, "a")
    await asyncio.sleep(1)
    world.epoch = 2
    late = begin(world, waiting, "b")
    await asyncio.sleep(1)

    assert (world.messenger.busy(), world.messenger.held()) == ({begun}, {waiting})
    await sending
    late.cancel()
    assert world.app.told() == ["a intends", "a", "a delivered"]


@fake_timed
async def test_where_hardly_a_request_may_go_nobody_waits_for_one() -> None:
    """A drain is shorter than ten seconds between two triggers."""
    world, ours = SendsWorld(), lane("a")
    world.is_rate_tight = True
    world.admission.gate.clear()
    sending = begin(world, ours, "a")
    await asyncio.sleep(1)

    assert world.messenger.held() == {ours}
    sending.cancel()
