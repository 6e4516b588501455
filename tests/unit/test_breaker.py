"""The breaker's states: what opens it, what it is not impressed by, and who may go next."""

import asyncio

from streams.customerio.breaker import Breaker
from tests.fake_time import fake_timed
from tests.fakes import FakeObserver


def make_breaker(observer: FakeObserver | None = None) -> Breaker:
    """Build one whose pauses are as long as they may be."""
    return Breaker("track", first_pause_s=2.0, jitter=lambda: 1.0, observer=observer or FakeObserver())


def now_s() -> float:
    """The loop's seconds."""
    return asyncio.get_running_loop().time()


@fake_timed
async def test_a_probe_shows_as_half_open() -> None:
    """It is the only one that goes; accepted, it lets everybody go."""
    breaker = make_breaker()
    breaker.open("outage", "HTTP 503")
    assert (breaker.state, breaker.reason) == ("open", "outage")
    probe = await breaker.enter()
    other = asyncio.create_task(breaker.enter())
    await asyncio.sleep(100)
    assert (probe.is_probe, breaker.state, other.done()) == (True, "half_open", False)
    breaker.works(probe)
    breaker.leave(probe)

    assert (breaker.state, breaker.reason, (await other).is_probe) == ("closed", "", False)


@fake_timed
async def test_whoever_waited_longest_is_the_next_probe() -> None:
    """A request that fails by its own fault must not always be the one that is asked."""
    breaker = make_breaker()
    breaker.open("outage", "HTTP 503")
    turns = []

    async def wait(name: str) -> None:
        for _ in range(2):
            permit = await breaker.enter()
            turns.append(name)
            breaker.fails(permit, "HTTP 503", None)
            breaker.leave(permit)
            await asyncio.sleep(0)

    await asyncio.gather(*(wait(name) for name in "abc"))

    assert turns == ["a", "b", "c", "a", "b", "c"]


@fake_timed
async def test_a_late_acceptance_does_not_end_an_outage() -> None:
    """It was sent before; what holds now only a probe can tell."""
    breaker = make_breaker()
    early = await breaker.enter()
    breaker.open("outage", "HTTP 503")
    breaker.works(early)

    assert breaker.state == "open"


@fake_timed
async def test_late_429s_do_not_make_a_pause_grow() -> None:
    """Several were under way when the first was refused: they all tell the same."""
    observer = FakeObserver()
    breaker = make_breaker(observer)
    early = [await breaker.enter() for _ in range(4)]
    began = now_s()
    for permit in early:
        breaker.hold(permit, "too_fast", None)
    await breaker.enter()

    assert round(now_s() - began) == 2
    assert observer.holds == [("track", "too_fast")]


@fake_timed
async def test_the_longest_wish_counts() -> None:
    """A late answer that asks for more is honoured, one that asks for less is not."""
    breaker = make_breaker()
    early = [await breaker.enter() for _ in range(3)]
    began = now_s()
    for permit, wish_s in zip(early, (60.0, 90.0, 1.0), strict=True):
        breaker.hold(permit, "too_fast", wish_s)
    await breaker.enter()

    assert round(now_s() - began) == 90


@fake_timed
async def test_a_late_429_leaves_a_breaker_open() -> None:
    """Refused credentials weigh more than a pause that is over sooner."""
    observer = FakeObserver()
    breaker = make_breaker(observer)
    early = await breaker.enter()
    breaker.open("credentials", "HTTP 401", early)
    breaker.hold(early, "too_fast", 1.0)

    assert (breaker.state, breaker.reason) == ("open", "credentials")
    assert observer.holds == [("track", "credentials")]


@fake_timed
async def test_an_outage_that_asks_for_a_pause_gets_it() -> None:
    """A probe's `Retry-After` makes the pause longer, and the outage stays one."""
    breaker = make_breaker()
    breaker.open("outage", "HTTP 503")
    probe = await breaker.enter()
    began = now_s()
    breaker.fails(probe, "HTTP 503", 200.0)
    breaker.leave(probe)
    await breaker.enter()

    assert round(now_s() - began) == 200
    assert breaker.reason == "outage"


@fake_timed
async def test_an_era_begins_with_an_outage_and_with_its_end() -> None:
    """However many requests used up their attempts in it, and whatever ends it; other reasons to wait begin none."""
    breaker = make_breaker()
    breaker.hold(await breaker.enter(), "too_fast", 1.0)
    breaker.open("credentials", "HTTP 401")
    breaker.close()
    eras = [breaker.era]
    for _ in range(2):
        assert breaker.open("outage", "HTTP 503")
        assert not breaker.open("outage", "HTTP 503")
        eras.append(breaker.era)
        probe = await breaker.enter()
        eras.append(probe.era)
        breaker.works(probe)
        breaker.leave(probe)
        eras.append(breaker.era)
    breaker.open("outage", "HTTP 503")
    breaker.open("credentials", "HTTP 401")
    eras.append(breaker.era)

    assert eras == [0, 1, 1, 2, 3, 3, 4, 6]


@fake_timed
async def test_who_gives_up_in_the_line_is_not_waited_for() -> None:
    """A lane that is taken away stands in nobody's way."""
    breaker = make_breaker()
    breaker.open("outage", "HTTP 503")
    first, second = (asyncio.create_task(breaker.enter()) for _ in range(2))
    await asyncio.sleep(1)
    first.cancel()

    assert (await second).is_probe


@fake_timed
async def test_a_probe_that_fails_late_opens_nothing() -> None:
    """The API's own word has closed the breaker meanwhile: one failure says nothing then, as any other."""
    observer = FakeObserver()
    breaker = make_breaker(observer)
    breaker.open("outage", "HTTP 503")
    probe = await breaker.enter()
    breaker.close()
    breaker.fails(probe, "HTTP 503", None)
    breaker.leave(probe)

    assert (breaker.state, breaker.reason) == ("closed", "")
    assert not (await breaker.enter()).is_probe
    assert observer.holds == [("track", "outage")]


@fake_timed
async def test_a_pause_stays_one_when_its_probe_comes_to_nothing() -> None:
    """Failed, or given up on the way: that the server asked to wait is no outage."""
    breaker = make_breaker()
    breaker.hold(await breaker.enter(), "too_fast", 1.0)
    states = []
    for is_answered in (True, False):
        probe = await breaker.enter()
        if is_answered:
            breaker.fails(probe, "HTTP 503", None)
        breaker.leave(probe)
        states.append((breaker.state, breaker.reason))

    assert states == [("held", "too_fast")] * 2
