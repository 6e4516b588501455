"""Attempts: what is repeated and when, what uses one up, and what makes every lane wait."""

import asyncio

import pytest

from schemas.answer import Answer, NoAnswer
from streams.customerio.attempts import TOTAL_S_MAX
from streams.customerio.breaker import PAUSE_S_MAX
from tests.fake_time import fake_timed
from tests.fakes import FakeClient
from tests.track_world import DOWN, REGION, World, parcels, shown

FAILURES = [NoAnswer("timeout"), NoAnswer("ReadError"), Answer(408, b""), Answer(500, b""), Answer(200, b"<html>")]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
@fake_timed
async def test_a_fault_of_theirs_is_repeated_and_counted(failure: Answer | NoAnswer) -> None:
    """As often as attempts allow, within the rate."""
    world = World(FakeClient([failure] * 2))

    assert shown(await world.sender.send_batch(parcels("a"))) == [(True, 200, 3)]
    assert (world.limiter.acquired, len(world.observer.retries)) == (3, 2)


@fake_timed
async def test_pauses_double_up_to_a_limit() -> None:
    """With full jitter: a share of the pause, here half; from the third failure on requests go one by one anyway."""
    world = World(FakeClient([NoAnswer("timeout")] * 7), attempts_max=8, jitter=0.5)
    await world.sender.send_batch(parcels("a"))

    assert world.gaps() == [1, 2, 4, 8, 15, 15, 15]
    assert max(world.gaps()) == PAUSE_S_MAX / 2


@fake_timed
async def test_a_backoff_of_nothing_still_grows() -> None:
    """It would flood whoever is down already."""
    world = World(FakeClient([NoAnswer("timeout")] * 2), backoff_s=0)
    await world.sender.send_batch(parcels("a"))

    assert world.gaps() == [0.1, 0.2]


@fake_timed
async def test_attempts_end_in_bounded_time() -> None:
    """However many are allowed: then others' requests are asked whose fault it is."""
    world = World(FakeClient(answers=lambda *_: DOWN, latency_s=10), attempts_max=100)
    sending = asyncio.create_task(world.sender.send_batch(parcels("a")))
    await asyncio.sleep(TOTAL_S_MAX + 10 + PAUSE_S_MAX)

    assert world.breaker.reason == "outage"
    sending.cancel()


@fake_timed
async def test_waiting_for_the_rate_is_no_time_spent() -> None:
    """Where the share is small, one failure is still one failure."""
    world = World(FakeClient([DOWN]))
    world.limiter.wait_s = 2 * TOTAL_S_MAX

    assert shown(await world.sender.send_batch(parcels("a"))) == [(True, 200, 2)]
    assert world.observer.holds == []


@fake_timed
async def test_a_429_uses_up_no_attempt() -> None:
    """It says nothing about the records; without a wish of the server the pauses grow."""
    world = World(FakeClient([Answer(429, b"")] * 6))

    assert shown(await world.sender.send_batch(parcels("a"))) == [(True, 200, 1)]
    assert world.gaps() == [2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("status", [429, 408, 503])
@fake_timed
async def test_retry_after_holds_every_lane(status: int) -> None:
    """Not a moment sooner, whoever asks; then one goes first."""
    world = World(FakeClient([Answer(status, b"", 120.0)]))
    await asyncio.gather(*(world.sender.send_batch(parcels(name)) for name in "abc"), _later(world))

    assert world.gaps()[2] == pytest.approx(120, abs=0.1)
    assert len(world.client.times) == 5


async def _later(world: World) -> None:
    await asyncio.sleep(1)
    await world.sender.send_batch(parcels("late"))


@pytest.mark.parametrize("status", [429, 503])
@fake_timed
async def test_a_retry_after_of_nothing_does_not_flood(status: int) -> None:
    """Under two requests a second while Customer.io is down, even if it says "at once"."""
    world = World(FakeClient([Answer(status, b"", 0.0)] * 2))
    await world.sender.send_batch(parcels("a"))

    assert world.gaps() == [2, 4]


@fake_timed
async def test_attempts_go_on_counting_in_the_halves() -> None:
    """A time-out before the refusal counts for every parcel."""
    world = World(FakeClient([NoAnswer("timeout"), Answer(400, b""), NoAnswer("timeout")]))

    assert shown(await world.sender.send_batch(parcels("a", "b"))) == [(True, 200, 4), (True, 200, 3)]


@pytest.mark.parametrize("status", [401, 403])
@fake_timed
async def test_refused_credentials_hold_everything_at_once(status: int) -> None:
    """They kill no record and use up no attempt; probes grow apart."""
    world = World(FakeClient([Answer(status, b"")] * 6))

    assert shown(await world.sender.send_batch(parcels("a"))) == [(True, 200, 1)]
    assert world.gaps() == [2, 4, 8, 16, 30, 30]
    assert world.observer.holds == [("track", "credentials")]


@fake_timed
async def test_new_credentials_are_tried_within_a_second() -> None:
    """Whoever has put the right key there does not wait half a minute."""
    world = World(FakeClient([Answer(401, b"")] * 5))
    sending = asyncio.create_task(world.sender.send_batch(parcels("a")))
    await asyncio.sleep(40)
    world.news = True

    assert shown(await sending) == [(True, 200, 1)]
    assert world.client.times[-1] - world.client.times[0] < 42


@pytest.mark.parametrize("status", [301, 307, 410])
@fake_timed
async def test_a_wrong_address_is_held_and_explained(status: int) -> None:
    """The region is asked once, not with every probe."""
    client = FakeClient(answers=lambda at, _: REGION if at == "region" else Answer(status, b""))
    world = World(client)
    sending = asyncio.create_task(world.sender.send_batch(parcels("a")))
    await asyncio.sleep(100)

    assert world.described == [REGION]
    assert (world.breaker.state, world.breaker.reason) == ("open", "address")
    sending.cancel()


@fake_timed
async def test_a_404_of_a_wrong_url_refuses_nothing() -> None:
    """There the region is not found either: nothing is dead-lettered, and it is tried again."""
    world = World(FakeClient([Answer(404, b"")] * 5))

    assert shown(await world.sender.send_batch(parcels("a"))) == [(True, 200, 1)]
    assert world.observer.holds == [("track", "address")]


@fake_timed
async def test_a_region_that_anybody_could_have_answered_is_none() -> None:
    """A portal answers everything with a page."""
    client = FakeClient(answers=lambda at, _: Answer(200, b"<html>") if at == "region" else Answer(404, b""))
    world = World(client)
    sending = asyncio.create_task(world.sender.send_batch(parcels("a")))
    await asyncio.sleep(1)

    assert world.breaker.reason == "address"
    sending.cancel()


@fake_timed
async def test_an_anonymous_event_is_repeated_too() -> None:
    """By the same rules."""
    world = World(FakeClient([Answer(503, b""), Answer(429, b"")]))
    (parcel,) = parcels("a")

    assert shown([await world.sender.send_anonymous(parcel)]) == [(True, 200, 2)]
    assert world.limiter.acquired == 3


@fake_timed
async def test_who_is_on_the_wire_and_who_waits_is_known() -> None:
    """A lane that only waits may be given up at once, one that is being sent may not."""
    world = World(FakeClient([Answer(429, b"", 60.0)], latency_s=1))
    sending = asyncio.create_task(world.sender.send_batch(parcels("a")))
    await asyncio.sleep(0.5)
    assert (world.sender.on_wire, world.sender.waiting, world.sender.is_held) == ({sending}, set(), False)
    await asyncio.sleep(30)
    assert (world.sender.on_wire, world.sender.waiting, world.sender.is_held) == (set(), {sending}, True)
    await sending

    assert (world.sender.on_wire, world.sender.waiting, world.sender.is_held) == (set(), set(), False)


@fake_timed
async def test_a_probe_that_is_given_up_makes_room() -> None:
    """The next in the line goes at once; nobody waits for one that was abandoned."""
    world = World(FakeClient([Answer(429, b"", 60.0)], latency_s=5))
    first = asyncio.create_task(world.sender.send_batch(parcels("a")))
    await asyncio.sleep(10)
    second = asyncio.create_task(world.sender.send_batch(parcels("b")))
    await asyncio.sleep(57)
    assert world.sender.on_wire == {first}
    first.cancel()

    assert shown(await second) == [(True, 200, 1)]
    assert world.client.times[-1] - world.client.times[0] == pytest.approx(67, abs=0.1)
