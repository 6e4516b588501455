"""Attempts: what is repeated and when, what is halved, what is sent alone, and what each verdict says."""

from collections.abc import Sequence

import orjson
import pytest

from schemas.answer import Answer, NoAnswer
from schemas.delivery import Parcel, Verdict
from streams.customerio.sender import PAUSE_S_MAX, TrackSender
from tests.fakes import OK, FakeClient, FakeLimiter, FakeObserver, FakeSleep


class World:
    """A sender with everything around it."""

    def __init__(self, client: FakeClient, *, jitter: float = 0.5) -> None:
        self.client = client
        self.sleep = FakeSleep()
        self.limiter = FakeLimiter()
        self.observer = FakeObserver()
        self.sender = TrackSender(
            client, self.limiter, self.observer, backoff_s=2, jitter=lambda: jitter, sleep=self.sleep
        )

    def sent(self) -> list[tuple[str, list[object]]]:
        """Every call: endpoint and names of its items."""
        return [(endpoint, names(body)) for endpoint, body in self.client.calls]


def names(body: bytes) -> list[object]:
    """Those of a batch, or of the only item."""
    value = orjson.loads(body)
    return [item["n"] for item in value["batch"]] if "batch" in value else [value["n"]]


def parcels(*items: object) -> list[Parcel]:
    """A parcel for each; a tuple is one of several items."""
    groups = [item if isinstance(item, tuple) else (item,) for item in items]
    return [Parcel(tuple(orjson.dumps({"n": name}) for name in group)) for group in groups]


def refuse(*indexes: int, status: int = 207) -> Answer:
    """An answer that names items."""
    return Answer(status, orjson.dumps({"errors": [{"batch_index": n, "reason": f"bad {n}"} for n in indexes]}))


def shown(verdicts: Sequence[Verdict]) -> list[tuple[bool, int, int]]:
    """Accepted, status, attempts."""
    return [(each.accepted, each.status, each.attempts) for each in verdicts]


async def test_one_request_carries_all() -> None:
    """It costs one of the rate and is counted with its items and bytes."""
    world = World(FakeClient())
    verdicts = await world.sender.send_batch(parcels("a", ("b", "c")))

    assert shown(verdicts) == [(True, 200, 1)] * 2
    assert world.sent() == [("batch", ["a", "b", "c"])]
    assert (world.limiter.acquired, world.observer.requests) == (1, [("200", 3, len(world.client.calls[0][1]))])


async def test_refused_items_refuse_their_parcels() -> None:
    """An index counts items, not parcels: any item of a parcel refuses it."""
    world = World(FakeClient([refuse(2, 4)]))
    verdicts = await world.sender.send_batch(parcels("a", ("b", "c"), "d", ("e", "f")))

    assert shown(verdicts) == [(True, 207, 1), (False, 207, 1), (True, 207, 1), (False, 207, 1)]
    assert [each.detail for each in verdicts] == [None, "bad 2", None, "bad 4"]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_refused_request_is_halved_until_the_culprit_is_alone(status: int) -> None:
    """Every other parcel is delivered, and the order kept; attempts count every request that carried it."""
    client = FakeClient(answers=lambda _, body: Answer(status, b"no") if "c" in names(body) else OK)
    world = World(client)
    verdicts = await world.sender.send_batch(parcels("a", "b", "c", "d"))

    assert shown(verdicts) == [(True, 200, 2), (True, 200, 2), (False, status, 3), (True, 200, 3)]
    assert [sent for _, sent in world.sent()] == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]
    assert (world.limiter.acquired, world.sleep.pauses) == (5, [])


async def test_halving_finds_several_culprits_and_no_more_requests_than_needed() -> None:
    """Log 2 of them for one, in hundreds."""
    bad = {7, 200}
    world = World(FakeClient(answers=lambda _, body: Answer(400, b"") if bad & set(names(body)) else OK))
    verdicts = await world.sender.send_batch(parcels(*range(256)))

    assert {n for n, each in enumerate(verdicts) if not each.accepted} == bad
    assert len(world.client.calls) <= 1 + 2 * 2 * 8


async def test_a_parcel_refused_alone_is_never_divided() -> None:
    """Suppress and delete are one."""
    world = World(FakeClient([Answer(400, b"{}")]))

    assert shown(await world.sender.send_batch(parcels(("a", "b")))) == [(False, 400, 1)]
    assert len(world.client.calls) == 1


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


async def test_an_answer_that_stays_unclear_refuses_the_only_item() -> None:
    """It was sent alone, and something of it was refused."""
    world = World(FakeClient([refuse(9), Answer(207, b"<html>")]))
    (verdict,) = await world.sender.send_batch(parcels("a"))

    assert (verdict.accepted, verdict.detail) == (False, "HTTP 207 without a readable reason")


@pytest.mark.parametrize(
    "failure", [NoAnswer("timeout"), NoAnswer("ReadError"), Answer(408, b""), Answer(500, b""), Answer(200, b"<html>")]
)
async def test_a_fault_of_theirs_is_repeated_and_counted(failure: Answer | NoAnswer) -> None:
    """Never a verdict: however often it fails, the records wait."""
    world = World(FakeClient([failure] * 50))

    assert shown(await world.sender.send_batch(parcels("a"))) == [(True, 200, 51)]
    assert (world.limiter.acquired, len(world.observer.retries)) == (51, 50)


async def test_a_429_uses_up_no_attempt() -> None:
    """It says nothing about the records."""
    world = World(FakeClient([Answer(429, b"")] * 5))

    assert shown(await world.sender.send_batch(parcels("a"))) == [(True, 200, 1)]
    assert world.observer.retries == ["HTTP 429"] * 5


async def test_a_404_refuses_an_item_when_the_api_is_where_we_look_for_it() -> None:
    """Asked for its region it answers, so the culprit is looked for like that of a 400."""
    client = FakeClient(answers=lambda _, body: Answer(404, b"") if b'"b"' in body else OK)
    world = World(client)

    assert shown(await world.sender.send_batch(parcels("a", "b"))) == [(True, 200, 2), (False, 404, 2)]
    assert [endpoint for endpoint, _ in client.calls] == ["batch", "region", "batch", "batch", "region"]


async def test_a_404_of_a_wrong_url_refuses_nothing() -> None:
    """There the region is not found either: nothing is dead-lettered, and it is tried again."""
    world = World(FakeClient([Answer(404, b""), Answer(404, b"")] * 3))

    assert [each.accepted for each in await world.sender.send_batch(parcels("a"))] == [True]


@pytest.mark.parametrize("status", [301, 401, 403])
async def test_a_fault_of_ours_is_waited_out(status: int) -> None:
    """Wrong credentials or region kill no record."""
    world = World(FakeClient([Answer(status, b"")] * 3))

    assert [each.accepted for each in await world.sender.send_batch(parcels("a"))] == [True]


async def test_pauses_double_up_to_a_limit() -> None:
    """With full jitter: a share of the pause, here half."""
    world = World(FakeClient([NoAnswer("timeout")] * 7))
    await world.sender.send_batch(parcels("a"))

    assert world.sleep.pauses == [1, 2, 4, 8, 15, 15, 15]
    assert max(world.sleep.pauses) == PAUSE_S_MAX / 2


async def test_a_backoff_of_nothing_still_grows() -> None:
    """It would flood whoever is down already."""
    world = World(FakeClient([NoAnswer("timeout")] * 3))
    world.sender = TrackSender(
        world.client, world.limiter, world.observer, backoff_s=0, jitter=lambda: 1.0, sleep=world.sleep
    )
    await world.sender.send_batch(parcels("a"))

    assert world.sleep.pauses == [0.1, 0.2, 0.4]


async def test_a_very_long_outage_does_not_overflow() -> None:
    """Doubling stops long before numbers end."""
    world = World(FakeClient([NoAnswer("timeout")] * 2_000))
    await world.sender.send_batch(parcels("a"))

    assert world.sleep.pauses[-1] == PAUSE_S_MAX / 2


@pytest.mark.parametrize("status", [429, 408, 503])
async def test_retry_after_is_honoured(status: int) -> None:
    """Not a moment sooner."""
    world = World(FakeClient([Answer(status, b"", 120.0)]))
    await world.sender.send_batch(parcels("a"))

    assert world.sleep.pauses == [120]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_retry_after_of_nothing_does_not_flood(status: int) -> None:
    """Under two requests a second while Customer.io is down, even if it says "at once"."""
    world = World(FakeClient([Answer(status, b"", 0.0)] * 5))
    await world.sender.send_batch(parcels("a"))

    assert world.sleep.pauses == [1, 2, 4, 8, 15]


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
        (Answer(207, b"{}"), (False, 207, 1)),
    ],
)
async def test_an_anonymous_event_has_an_endpoint_of_its_own(given: Answer, expected: tuple[bool, int, int]) -> None:
    """Its answer is about it alone, in either form of Track v1."""
    world = World(FakeClient([given]))
    verdict = await world.sender.send_anonymous(Parcel((b'{"n":"a"}',), anonymous=True))

    assert (shown([verdict]), world.sent()) == ([expected], [("events", ["a"])])


async def test_an_anonymous_event_is_repeated_too() -> None:
    """By the same rules."""
    world = World(FakeClient([Answer(503, b""), Answer(429, b"")]))
    verdict = await world.sender.send_anonymous(Parcel((b'{"n":"a"}',), anonymous=True))

    assert (shown([verdict]), world.limiter.acquired) == ([(True, 200, 2)], 3)
