"""What Customer.io leaves undocumented is a switch of the sandbox: both ways of each."""

from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from streams.sandbox.app import create_app
from streams.sandbox.operation import Identifier, Operation
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World
from tests.unit.sandbox_operations import ADA, BOB, EMAIL, NOW, act, apply_all, identify, make_world, person_of

IDENTIFY = {"type": "person", "action": "identify", "identifiers": {"id": "u-1"}, "attributes": {"plan": "pro"}}
BATCH = "/api/v2/batch"
SALE = act("event", name="sale", event_id="A" * 26)


def make_client(**options: Any) -> httpx.AsyncClient:  # noqa: ANN401 - options' own
    """Build a client of a new sandbox."""
    chosen = SandboxOptions(**options)
    transport = httpx.ASGITransport(app=create_app(World(options=chosen), options=chosen, clock=lambda: NOW))
    return httpx.AsyncClient(transport=transport, base_url="http://sandbox", auth=("site", "key"))


async def test_a_call_for_somebody_suppressed_may_be_an_error() -> None:
    """It is a 200 without effect, or a refusal in the form of its version; unsuppressing is always possible."""
    answers = []
    for is_refused in (False, True):
        async with make_client(refuses_suppressed=is_refused) as client:
            await client.post("/api/v1/customers/u-1/suppress")
            answers += [
                await client.put("/api/v1/customers/u-1", json={}),
                await client.post("/api/v2/entity", json=IDENTIFY),
                await client.post(BATCH, json={"batch": [IDENTIFY]}),
                await client.post("/api/v1/customers/u-1/unsuppress"),
            ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 400, 400, 207, 200]
    assert answers[4].json() == {"meta": {"errors": ["identifier is suppressed"]}}
    assert answers[6].json()["errors"][0] | {"message": ""} == {
        "batch_index": 0,
        "reason": "invalid",
        "field": "identifiers",
        "message": "",
    }


async def test_a_batch_without_a_good_item_may_be_refused_whole() -> None:
    """A 207, or a 400 without indexes."""
    shown = []
    for is_refused in (False, True):
        async with make_client(refuses_all_bad_batch=is_refused) as client:
            answer = await client.post(BATCH, json={"batch": ["bad", "bad"]})
            shown.append((answer.status_code, ["batch_index" in error for error in answer.json()["errors"]]))
            assert (await client.post(BATCH, json={"batch": ["bad", IDENTIFY]})).status_code == 207
            assert (await client.post(BATCH, json={"batch": []})).status_code == 200

    assert shown == [(207, [True, True]), (400, [False, False])]


async def test_an_empty_batch_may_be_refused() -> None:
    """A 200, or a 400."""
    statuses = []
    for is_refused in (False, True):
        async with make_client(refuses_empty_batch=is_refused) as client:
            statuses.append((await client.post(BATCH, json={"batch": []})).status_code)

    assert statuses == [200, 400]


@pytest.mark.parametrize("token", [b"NaN", b"Infinity", b"-Infinity"])
async def test_not_a_number_may_be_dropped_in_silence(token: bytes) -> None:
    """It is refused, or answered with 200 while nothing of the request is saved; that is counted."""
    shown = []
    for is_dropped in (False, True):
        async with make_client(drops_not_a_number=is_dropped) as client:
            answer = await client.put("/api/v1/customers/u-1", content=b'{"plan":"pro","score":' + token + b"}")
            state = (await client.get("/sandbox/state")).json()
            shown.append((answer.status_code, state["people"], state["flagged"]))

    assert shown == [(400, 0, {}), (200, 0, {"not_a_number": 1})]


@pytest.mark.parametrize("body", [b"", b'{"a":NaN', b'{"a":tru}', b'{"a":"\xff"}', b"[" * 100_000, b'{"a":"\\ud800"}'])
async def test_what_is_no_json_otherwise_is_refused_all_the_same(body: bytes) -> None:
    """Only `NaN` and `Infinity` are ever dropped."""
    async with make_client(drops_not_a_number=True) as client:
        assert (await client.put("/api/v1/customers/u-1", content=body)).status_code == 400


async def test_milliseconds_may_be_taken_as_they_are() -> None:
    """They are refused, or accepted and flagged."""
    item = {**IDENTIFY, "timestamp": 1_700_000_000_000}
    shown = []
    for is_refused in (True, False):
        async with make_client(refuses_milliseconds=is_refused) as client:
            answer = await client.post("/api/v2/entity", json=item)
            shown.append((answer.status_code, (await client.get("/sandbox/state")).json()["flagged"]))

    assert shown == [(400, {}), (200, {"milliseconds": 1})]


def test_an_event_creates_its_person_by_default() -> None:
    """Except by a `cio_id`, which nobody can choose."""
    world = make_world()
    by_cio_id = act("event", Identifier("cio_id", "ffff"), name="sale")

    assert apply_all(world, act("event", name="sale"), by_cio_id) == [None, "unknown_person"]
    assert len(world.events_of(person_of(world))) == 1


def test_an_event_for_nobody_may_be_dropped() -> None:
    """It has no effect, and its ULID is free for another time."""
    world = make_world(event_for_nobody="drop")

    assert apply_all(world, SALE, identify(), SALE) == ["unknown_person", None, None]


def test_an_event_for_nobody_may_be_held() -> None:
    """It waits for whoever gets the identifier, in any way, and is nobody's until then."""
    world = make_world(event_for_nobody="hold")
    by_email = act("event", Identifier("email", "ADA@example.com"), name="visit")
    first = apply_all(world, SALE, SALE, by_email)
    held = dict(world.events)
    apply_all(world, identify(email=EMAIL.value), identify(plan="pro"))

    assert (first, held) == (["held", "repeated", "held"], {"held": 2})
    assert [event.operation.name for event in world.events_of(person_of(world))] == ["sale", "visit"]
    assert world.events == {"held": 0, "person": 2}


def test_a_held_event_is_redacted_with_its_identifier() -> None:
    """After a suppression nobody gets what was held."""
    world = make_world(event_for_nobody="hold")
    apply_all(world, SALE, act("suppress"), act("unsuppress"), identify())

    assert world.events_of(person_of(world)) == []


@pytest.mark.parametrize(
    ("window_s", "later_s", "why"), [(None, 10**9, "repeated"), (60, 59, "repeated"), (60, 60, None)]
)
def test_a_ulid_is_remembered_for_its_window(window_s: float | None, later_s: float, why: str | None) -> None:
    """The window counts from the event that was kept, a repeat does not renew it."""
    world = make_world(dedupe_window_s=window_s)
    world.apply(SALE, now=NOW)
    world.apply(SALE, now=NOW + 30)

    assert why == world.apply(replace(SALE, identifier=BOB), now=NOW + later_s)


def test_a_window_forgets_what_it_counts() -> None:
    """What fell out of the window counts once more, and only once."""
    world = make_world(dedupe_window_s=60)
    whys = [world.apply(SALE, now=NOW + later_s) for later_s in (0, 61, 62)]

    assert whys == [None, None, "repeated"]


async def test_a_failed_attribute_change_is_shown() -> None:
    """A missed `_update` and a conflict are 200s that Customer.io lists as failed; a dropped `cio_id` is not listed."""
    async with make_client(keep_log=True) as client:
        await client.put("/api/v1/customers/u-1", json={"plan": "pro", "_update": True})
        await client.put("/api/v1/customers/u-2", json={"email": EMAIL.value})
        await client.put("/api/v1/customers/u-3", json={"email": EMAIL.value})
        await client.put("/api/v1/customers/cio_ffff", json={"plan": "pro"})
        state = (await client.get("/sandbox/state")).json()
        log = [orjson.loads(line) for line in (await client.get("/sandbox/log")).text.splitlines()]
        page = (await client.get("/")).text

    assert state["activities"] == {"failed_attribute_change": 2}
    assert [(entry["why"], entry.get("activity")) for entry in log] == [
        ("unknown_person", "failed_attribute_change"),
        (None, None),
        ("conflict", "failed_attribute_change"),
        ("unknown_person", None),
    ]
    assert "failed attribute change" in page


def test_events_older_than_a_month_are_not_handed_over() -> None:
    """A merge moves the last 30 days, an anonymous id keeps as many."""
    world, month_s = make_world(), 30 * 86_400
    anonymous = Identifier("anonymous_id", "anon-1")
    ages = {"old": month_s, "new": month_s - 1}
    for name, age_s in ages.items():
        world.apply(act("event", BOB, name=name, timestamp=int(NOW) - age_s), now=NOW)
        world.apply(Operation(kind="anonymous", action="event", identifier=anonymous, name=name), now=NOW - age_s)
    apply_all(world, identify(), act("merge", ADA, secondary=BOB), identify(anonymous_id=anonymous.value))

    assert [event.operation.name for event in world.events_of(person_of(world))] == ["new", "new"]
