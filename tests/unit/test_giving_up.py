"""Whose fault it is that a request keeps failing: a culprit is found and given up, an outage is waited out."""

import asyncio
import math
from collections.abc import Callable

import pytest

from schemas.answer import Answer, NoAnswer
from schemas.delivery import Parcel
from tests.fake_time import fake_timed
from tests.fakes import OK, FakeClient, Response
from tests.track_world import DOWN, REGION, World, names, parcels, shown

Answers = Callable[[str, bytes], Response]


def failing_with(*culprits: object, region: Response = REGION, failure: Response = DOWN) -> Answers:
    """Every request that carries one of these fails, all others are accepted."""

    def answers(endpoint: str, body: bytes) -> Response:
        if endpoint == "region":
            return region
        return failure if set(culprits) & set(names(body)) else OK

    return answers


async def traffic(world: World) -> None:
    """Others' requests, one each second."""
    while True:
        await world.sender.send_batch(parcels("other"))
        await asyncio.sleep(1)


def requests_with(world: World, name: object) -> int:
    """How many carried it."""
    return sum(name in sent for _, sent in world.sent())


@pytest.mark.parametrize("failure", [DOWN, NoAnswer("timeout")], ids=str)
@fake_timed
async def test_who_fails_while_others_are_accepted_is_given_up(failure: Response) -> None:
    """After as many attempts as are allowed, and with the status of the last one."""
    world = World(FakeClient(answers=failing_with("bad", failure=failure), latency_s=0.02))
    others = asyncio.create_task(traffic(world))
    (verdict,) = await world.sender.send_batch(parcels("bad"))
    others.cancel()

    assert (verdict.accepted, verdict.reason, verdict.attempts) == (False, "retries_exhausted", 3)
    assert verdict.status == (503 if isinstance(failure, Answer) else None)
    assert world.observer.holds == []


@pytest.mark.parametrize("count", [2, 3, 5, 9, 33, 100, 500])
@pytest.mark.parametrize("failure", [DOWN, Answer(400, b"")], ids=["fails", "is refused"])
@fake_timed
async def test_a_culprit_is_found_by_halving(count: int, failure: Response) -> None:
    """Wherever it stands: siblings are delivered, with at most 2 log2 n + 2 requests beyond those of the whole."""
    for place in {0, 1, count // 2, count - 1}:
        world = World(FakeClient(answers=failing_with(place, failure=failure), latency_s=0.02))
        others = asyncio.create_task(traffic(world))
        verdicts = await world.sender.send_batch(parcels(*range(count)))
        others.cancel()
        sent = sum("other" not in names for _, names in world.sent())

        assert [n for n, verdict in enumerate(verdicts) if not verdict.accepted] == [place]
        assert sent - (3 if failure is DOWN else 1) <= 2 * math.log2(count) + 2
        assert world.observer.holds == []


@pytest.mark.parametrize("place", [0, 7, 250, 499])
@fake_timed
async def test_a_culprit_alone_in_the_world_is_found_too(place: int) -> None:
    """Its siblings are the others: they are asked before all is held."""
    world = World(FakeClient(answers=failing_with(place), latency_s=0.02))
    verdicts = await world.sender.send_batch(parcels(*range(500)))

    assert [n for n, verdict in enumerate(verdicts) if not verdict.accepted] == [place]
    assert len(world.client.calls) - 3 <= 2 * math.log2(500) + 2
    assert world.observer.holds == []


@fake_timed
async def test_two_culprits_alone_in_the_world_are_found() -> None:
    """One stands in either half, so that nothing is accepted at first: then the region speaks for the API."""
    world = World(FakeClient(answers=failing_with(3, 400), latency_s=0.02))
    verdicts = await world.sender.send_batch(parcels(*range(500)))

    assert [n for n, verdict in enumerate(verdicts) if not verdict.accepted] == [3, 400]
    assert world.client.times[-1] - world.client.times[0] < 60


@fake_timed
async def test_several_culprits_are_found() -> None:
    """Also when both halves fail."""
    bad = {1, 8, 9, 400}
    world = World(FakeClient(answers=failing_with(*bad), latency_s=0.02))
    others = asyncio.create_task(traffic(world))
    verdicts = await world.sender.send_batch(parcels(*range(500)))
    others.cancel()

    assert {n for n, verdict in enumerate(verdicts) if not verdict.accepted} == bad


@fake_timed
async def test_a_lonely_record_is_given_up_on_the_regions_word() -> None:
    """Nobody else is there to ask: the API answers for itself, and again after each of as many attempts as it takes."""
    world = World(FakeClient(answers=failing_with("bad"), latency_s=0.02))
    (verdict,) = await world.sender.send_batch(parcels("bad"))
    asked = next(n for n, (endpoint, _) in enumerate(world.sent()) if endpoint == "region")

    assert verdict.reason == "retries_exhausted"
    assert [endpoint for endpoint, _ in world.sent()[asked:]] == ["region", *["batch", "region"] * 3]
    assert world.client.times[-1] - world.client.times[0] < 60


@fake_timed
async def test_a_lonely_record_that_comes_in_an_outage_is_given_up_too() -> None:
    """It never saw the breaker closed, and there is still nobody else to ask."""
    down = True
    bad = failing_with("bad")
    world = World(FakeClient(answers=lambda at, body: DOWN if down else bad(at, body), latency_s=0.02))
    early = asyncio.create_task(world.sender.send_batch(parcels("early")))
    await asyncio.sleep(60)
    early.cancel()
    late = asyncio.create_task(world.sender.send_batch(parcels("bad")))
    await asyncio.sleep(60)
    down = False

    assert [verdict.reason for verdict in await late] == ["retries_exhausted"]


@pytest.mark.parametrize("attempts_max", [1, 3, 10])
@fake_timed
async def test_an_outage_gives_nobody_up(attempts_max: int) -> None:
    """An hour of it; then everything goes on where it was."""
    down = True
    client = FakeClient(answers=lambda *_: DOWN if down else OK, latency_s=0.02)
    world = World(client, attempts_max=attempts_max)
    lanes = [asyncio.create_task(world.sender.send_batch(parcels(*range(n, n + 100)))) for n in range(0, 400, 100)]
    await asyncio.sleep(60)
    first_minute = len(world.client.calls)
    await asyncio.sleep(3540)
    assert world.breaker.reason == "outage"
    per_s = (len(world.client.calls) - first_minute) / 3540
    down = False
    verdicts = await asyncio.gather(*lanes)

    assert all(verdict.accepted for lane in verdicts for verdict in lane)
    assert first_minute < 60
    assert per_s < 0.1
    assert world.observer.holds == [("track", "outage")]


@fake_timed
async def test_requests_do_not_crowd_before_the_breaker_opens() -> None:
    """From the third failure in a row on under two in any second."""
    world = World(FakeClient(answers=lambda *_: DOWN), backoff_s=0.1)
    lanes = [asyncio.create_task(world.sender.send_batch(parcels(n))) for n in range(6)]
    await asyncio.sleep(60)
    for lane in lanes:
        lane.cancel()

    assert min(world.gaps()[6:]) >= 0.59


@fake_timed
async def test_an_outage_of_the_intake_alone_gives_up_next_to_nobody() -> None:
    """The region answers, data is not taken: one record an hour or so may be blamed, not thousands."""
    world = World(FakeClient(answers=lambda at, _: REGION if at == "region" else DOWN, latency_s=0.02))
    verdicts = []

    async def lane(name: str) -> None:
        for n in range(1000):
            verdicts.extend(await world.sender.send_batch(parcels(f"{name}{n}")))

    lanes = [asyncio.create_task(lane(name)) for name in "abcd"]
    await asyncio.sleep(3600)
    for each in lanes:
        each.cancel()

    assert len(verdicts) <= 8


@fake_timed
async def test_bad_weather_gives_nobody_up() -> None:
    """Half of all requests fail: good records fail several times in a row while others are accepted, by mere chance."""
    turn = iter(range(10**9))
    world = World(FakeClient(answers=lambda *_: DOWN if (next(turn) * 7919) % 101 < 50 else OK, latency_s=0.02))

    async def lane(name: str) -> list[bool]:
        return [(await world.sender.send_batch(parcels(f"{name}{n}")))[0].accepted for n in range(400)]

    lanes = await asyncio.gather(*(lane(name) for name in "abcd"))

    assert [accepted.count(False) for accepted in lanes] == [0, 0, 0, 0]


@pytest.mark.parametrize("after_s", [7.5, 8, 8.5, 9, 9.5, 10, 10.5, 11, 11.5, 12, 12.5, 13, 13.5, 14])
@fake_timed
async def test_an_outage_while_a_culprit_is_looked_for_blames_nobody_else(after_s: float) -> None:
    """What fails then is tried again when it is over, at whichever step it began."""
    down = False
    bad = failing_with(0)
    world = World(FakeClient(answers=lambda at, body: DOWN if down else bad(at, body), latency_s=0.5))
    others = asyncio.create_task(traffic(world))
    sending = asyncio.create_task(world.sender.send_batch(parcels(*range(64))))
    await asyncio.sleep(after_s)
    assert 3 <= requests_with(world, 0) <= 10
    down = True
    await asyncio.sleep(600)
    down = False
    verdicts = await sending
    others.cancel()

    assert [n for n, verdict in enumerate(verdicts) if not verdict.accepted] == [0]


@fake_timed
async def test_an_anonymous_event_can_be_given_up() -> None:
    """On the evidence of others like it."""
    world = World(FakeClient(answers=failing_with("bad"), latency_s=0.02))
    (good,), (bad,) = parcels("other"), parcels("bad")

    async def likes() -> None:
        while True:
            await world.sender.send_anonymous(good)
            await asyncio.sleep(1)

    others = asyncio.create_task(likes())
    verdict = await world.sender.send_anonymous(bad)
    others.cancel()

    assert shown([verdict]) == [(False, 503, 3)]


@fake_timed
async def test_what_works_elsewhere_is_no_evidence() -> None:
    """Batches are accepted, anonymous events are not: their endpoint is down, and few are blamed in an hour."""
    client = FakeClient(
        answers=lambda at, _: DOWN if at == "events" else REGION if at == "region" else OK, latency_s=0.02
    )
    world = World(client)
    others = asyncio.create_task(traffic(world))
    verdicts = []

    async def lane() -> None:
        for parcel in parcels(*range(1000)):
            verdicts.extend([await world.sender.send_anonymous(parcel)])

    lanes = [asyncio.create_task(lane()) for _ in range(2)]
    await asyncio.sleep(3600)
    for task in (others, *lanes):
        task.cancel()

    assert 0 < len(verdicts) <= 8


@fake_timed
async def test_items_that_are_sent_alone_can_be_given_up() -> None:
    """The answer to the batch was unclear, the one item never gets one."""
    bad = failing_with("b")
    world = World(FakeClient([Answer(207, b"")], answers=bad, latency_s=0.02))
    verdicts = await world.sender.send_batch(parcels("a", ("b", "x"), "c"))

    assert [(verdict.accepted, verdict.reason) for verdict in verdicts] == [
        (True, None),
        (False, "retries_exhausted"),
        (True, None),
    ]
    assert requests_with(world, "x") == 1


@fake_timed
async def test_halves_keep_each_persons_order() -> None:
    """Nothing of a person overtakes what of theirs is still looked at, wherever the culprit stands."""
    for culprit in range(8):
        world = World(FakeClient(answers=failing_with(culprit), latency_s=0.02))
        others = asyncio.create_task(traffic(world))
        sent = [Parcel(parcel.bodies, person="ab"[n % 2]) for n, parcel in enumerate(parcels(*range(8)))]
        verdicts = await world.sender.send_batch(sent)
        others.cancel()
        accepted = [n for _, sent in world.sent() if culprit not in sent for n in sent if isinstance(n, int)]

        assert [n for n, verdict in enumerate(verdicts) if not verdict.accepted] == [culprit]
        assert [n for n in accepted if n % 2 == 0] == sorted(n for n in accepted if n % 2 == 0)
        assert [n for n in accepted if n % 2] == sorted(n for n in accepted if n % 2)
