"""Verdicts: what is halved, what is sent alone, and what each verdict says."""

import pytest

from schemas.answer import Answer, NoAnswer
from schemas.delivery import Parcel
from tests.fake_time import fake_timed
from tests.fakes import OK, FakeClient
from tests.track_world import REGION, World, names, parcels, refuse, shown


@fake_timed
async def test_one_request_carries_all() -> None:
    """It costs one of the rate and is counted with its items and bytes."""
    world = World(FakeClient())
    verdicts = await world.sender.send_batch(parcels("a", ("b", "c")))

    assert shown(verdicts) == [(True, 200, 1)] * 2
    assert world.sent() == [("batch", ["a", "b", "c"])]
    assert (world.limiter.acquired, world.observer.requests) == (1, [("200", 3, len(world.client.calls[0][1]))])


@fake_timed
async def test_refused_items_refuse_their_parcels() -> None:
    """An index counts items, not parcels: any item of a parcel refuses it."""
    world = World(FakeClient([refuse(2, 4)]))
    verdicts = await world.sender.send_batch(parcels("a", ("b", "c"), "d", ("e", "f")))

    assert shown(verdicts) == [(True, 207, 1), (False, 207, 1), (True, 207, 1), (False, 207, 1)]
    assert [each.detail for each in verdicts] == [None, "bad 2", None, "bad 4"]


@pytest.mark.parametrize("status", [400, 413, 422])
@fake_timed
async def test_a_refused_request_is_halved_until_the_culprit_is_alone(status: int) -> None:
    """Every other parcel is delivered, and the order kept; attempts count every request that carried it."""
    client = FakeClient(answers=lambda _, body: Answer(status, b"no") if "c" in names(body) else OK)
    world = World(client)
    verdicts = await world.sender.send_batch(parcels("a", "b", "c", "d"))

    assert shown(verdicts) == [(True, 200, 2), (True, 200, 2), (False, status, 3), (True, 200, 3)]
    assert [sent for _, sent in world.sent()] == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]
    assert (world.limiter.acquired, world.gaps()) == (5, [0.0] * 4)


@fake_timed
async def test_halving_finds_several_culprits_and_no_more_requests_than_needed() -> None:
    """Log 2 of them for one, in hundreds."""
    bad = {7, 200}
    world = World(FakeClient(answers=lambda _, body: Answer(400, b"") if bad & set(names(body)) else OK))
    verdicts = await world.sender.send_batch(parcels(*range(256)))

    assert {n for n, each in enumerate(verdicts) if not each.accepted} == bad
    assert len(world.client.calls) <= 1 + 2 * 2 * 8


@fake_timed
async def test_a_parcel_refused_alone_is_never_divided() -> None:
    """Suppress and delete are one."""
    world = World(FakeClient([Answer(400, b"{}")]))

    assert shown(await world.sender.send_batch(parcels(("a", "b")))) == [(False, 400, 1)]
    assert len(world.client.calls) == 1


@fake_timed
async def test_an_unclear_answer_sends_each_alone() -> None:
    """Then the answer can only be about that one; a parcel's second item waits for its first."""
    client = FakeClient(
        [refuse(9)], answers=lambda _, body: Answer(400, b'{"errors":[{"reason":"no"}]}') if b"b" in body else OK
    )
    world = World(client)
    verdicts = await world.sender.send_batch(parcels("a", ("b", "x"), ("c", "d")))

    assert world.sent() == [
        ("batch", ["a", "b", "x", "c", "d"]),
        *[("entity", [name]) for name in ("a", "b", "c", "d")],
    ]
    assert shown(verdicts) == [(True, 200, 2), (False, 400, 2), (True, 200, 3)]
    assert verdicts[1].detail == "no"


@fake_timed
async def test_an_answer_that_stays_unclear_refuses_the_only_item() -> None:
    """It was sent alone, and something of it was refused."""
    world = World(FakeClient([refuse(9), refuse(7)]))
    (verdict,) = await world.sender.send_batch(parcels("a"))

    assert (verdict.accepted, verdict.detail) == (False, "HTTP 207 without a readable reason")


@fake_timed
async def test_a_404_refuses_an_item_when_the_api_is_where_we_look_for_it() -> None:
    """Asked for its region it answers, so the culprit is looked for like that of a 400."""
    client = FakeClient(
        answers=lambda at, body: REGION if at == "region" else Answer(404, b"") if b'"b"' in body else OK
    )
    world = World(client)

    assert shown(await world.sender.send_batch(parcels("a", "b"))) == [(True, 200, 2), (False, 404, 2)]
    assert [endpoint for endpoint, _ in client.calls] == ["batch", "region", "batch", "batch", "region"]


@fake_timed
async def test_attempts_go_on_counting_in_the_halves() -> None:
    """A time-out before the refusal counts for every parcel."""
    world = World(FakeClient([NoAnswer("timeout"), Answer(400, b""), NoAnswer("timeout")]))

    assert shown(await world.sender.send_batch(parcels("a", "b"))) == [(True, 200, 4), (True, 200, 3)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (OK, (True, 200, 1)),
        (Answer(400, b'{"meta":{"error":"no"}}'), (False, 400, 1)),
        (Answer(200, b'{"meta":{"errors":["no"]}}'), (False, 200, 1)),
        (refuse(7), (False, 207, 1)),
    ],
)
@fake_timed
async def test_an_anonymous_event_has_an_endpoint_of_its_own(given: Answer, expected: tuple[bool, int, int]) -> None:
    """Its answer is about it alone, in either form of Track v1."""
    world = World(FakeClient([given]))
    verdict = await world.sender.send_anonymous(Parcel((b'{"n":"a"}',), anonymous=True))

    assert (shown([verdict]), world.sent()) == ([expected], [("events", ["a"])])


@fake_timed
async def test_an_anonymous_event_is_repeated_too() -> None:
    """By the same rules."""
    world = World(FakeClient([Answer(503, b""), Answer(429, b"")]))
    verdict = await world.sender.send_anonymous(Parcel((b'{"n":"a"}',), anonymous=True))

    assert (shown([verdict]), world.limiter.acquired) == ([(True, 200, 2)], 3)
