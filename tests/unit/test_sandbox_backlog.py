"""Operations that are accepted now and applied later, as Customer.io's are."""

import httpx
import orjson

from streams.sandbox.app import create_app
from streams.sandbox.backlog import Backlog
from streams.sandbox.chronicle import Chronicle
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World
from tests.unit.sandbox_operations import ADA, BOB, NOW, act, apply_all, identify, make_world, person_of

IDENTIFY = {"type": "person", "action": "identify", "identifiers": {"id": "u-1"}, "attributes": {"plan": "pro"}}


def names_of(world: World) -> list[str | None]:
    """Return the names of Ada's events in the order in which they were applied."""
    return [event.operation.name for event in world.events_of(person_of(world))]


def shuffled(seed: int) -> list[str | None]:
    """Apply ten events that were accepted one after the other, and return their names as they were applied."""
    world = make_world(apply_after_s=5, applies_out_of_order=True, apply_seed=seed)
    apply_all(world, *(act("event", name=f"e{n}") for n in range(10)))
    world.settle(now=NOW + 5)
    return names_of(world)


def test_an_operation_waits_for_its_time() -> None:
    """Nothing is applied before the delay is over, everything is then."""
    world = make_world(apply_after_s=5)
    apply_all(world, identify(plan="pro"), act("event", name="sale"))
    world.settle(now=NOW + 4.9)
    before = (len(world.people), world.pending, world.chronicle.seq)
    world.settle(now=NOW + 5)

    assert (before, world.pending) == ((0, 2, 2), 0)
    assert (person_of(world).shown_attributes(), names_of(world)) == ({"plan": "pro"}, ["sale"])


def test_an_operation_is_applied_as_of_its_time() -> None:
    """However late anybody looks, a person was created when it was due."""
    world = make_world(apply_after_s=5)
    apply_all(world, identify())
    world.settle(now=NOW + 100)

    assert person_of(world).created_at == NOW + 5


def test_operations_are_applied_in_the_order_of_acceptance() -> None:
    """Without shuffling, and whatever they are."""
    world = make_world(apply_after_s=5)
    apply_all(world, act("event", name="first"), act("delete"), act("event", name="second"))
    world.settle(now=NOW + 5)

    assert names_of(world) == ["second"]


def test_a_seed_shuffles_the_same_way_each_time() -> None:
    """Operations are applied within the delay, in another order for another seed."""
    assert shuffled(1) == shuffled(1)
    assert shuffled(1) != shuffled(2)
    assert sorted(str(name) for name in shuffled(1)) == [f"e{n}" for n in range(10)]


def test_a_timestamp_orders_what_is_applied_out_of_order() -> None:
    """Of attribute updates the newest timestamp wins, whichever is applied last."""
    world = make_world(apply_after_s=5, applies_out_of_order=True)
    apply_all(world, *(identify(timestamp=n, count=n) for n in range(1, 20)))
    world.settle(now=NOW + 5)

    assert person_of(world).shown_attributes() == {"count": 19}
    assert world.chronicle.ignored["older"] > 0


def test_a_repeat_is_recognised_when_it_is_applied() -> None:
    """Both are accepted, one counts."""
    world = make_world(apply_after_s=5)
    sale = act("event", name="sale", event_id="A" * 26)
    apply_all(world, sale, sale)
    world.settle(now=NOW + 5)

    assert (names_of(world), world.chronicle.ignored["repeated"]) == (["sale"], 1)


def test_a_full_backlog_applies_its_next_one_early() -> None:
    """What waits is bounded."""
    backlog, chronicle = Backlog(SandboxOptions(apply_after_s=5), pending_max=2), Chronicle(keep_log=False)
    for _ in range(3):
        backlog.put(chronicle.accept(identify(), now=NOW), now=NOW)

    assert [(entry.seq, due_at) for entry, due_at in backlog.due(NOW)] == [(1, NOW)]
    assert len(backlog) == 2


def test_the_log_has_what_was_accepted_and_what_became_of_it() -> None:
    """A line is there at once, pending; afterwards it has its place in the order of application."""
    chronicle = Chronicle(keep_log=True, log_max=2)
    first, second, third = (chronicle.accept(identify(who), now=NOW) for who in (ADA, BOB, ADA))
    chronicle.conclude(third, why="older")
    chronicle.conclude(first, why=None)  # the log has forgotten it already
    lines = [orjson.loads(line) for line in b"".join(chronicle.log_blocks()).splitlines()]

    assert [(line["seq"], line["applied"], line["ignored"]) for line in lines] == [(2, None, None), (3, 1, True)]
    assert (first.applied, second.applied, chronicle.log_dropped) == (2, None, 1)


async def test_views_show_what_is_applied() -> None:
    """Over HTTP a write is answered before it can be read; `pending` says when it can."""
    options, times = SandboxOptions(apply_after_s=5, keep_log=True), [NOW]
    app = create_app(World(options=options), options=options, clock=lambda: times[0])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", auth=("site", "key")) as client:
        answers = [(await client.post("/api/v2/batch", json={"batch": [IDENTIFY]})).status_code]
        answers += [(await client.get("/sandbox/people/u-1")).status_code]
        state, log = (await client.get("/sandbox/state")).json(), (await client.get("/sandbox/log")).json()
        page = (await client.get("/")).text
        times[0] += 5
        answers += [(await client.get("/sandbox/people/u-1")).status_code]
        later = (await client.get("/sandbox/state")).json()

    assert answers == [200, 404, 200]
    assert (state["accepted"], state["pending"], state["people"], log["applied"]) == (1, 1, 0, None)
    assert "pending" in page
    assert (later["accepted"], later["pending"], later["people"]) == (1, 0, 1)
