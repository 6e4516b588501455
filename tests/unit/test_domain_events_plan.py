"""A chunk of domain events: repeats, order, anonymous ones, and persons who are gone."""

from typing import Any

import orjson
import pytest

from agents.plans.domain_events import DomainEventsPlan
from schemas.delivery import Parcel
from schemas.person_state import PersonState, pack
from tests.builders import carry_out, told
from tests.fakes import FakeMemory
from tests.unit.input_records import InputRecord


def make(offset: int, name: str = "seen", **fields: object) -> InputRecord:
    """An event of user u-1, unless it names somebody, at a time that depends on nothing."""
    person = {} if "anonymous_id" in fields else {"user_id": "u-1"}
    value = {"name": name, "occurred_at": 1_000, **person, **fields}
    return InputRecord(topic="domain-events", value=orjson.dumps(value), offset=offset)


def names(waves: list[list[Parcel]]) -> list[list[Any]]:
    """The names of the events, wave by wave."""
    return [[orjson.loads(parcel.bodies[0])["name"] for parcel in wave] for wave in waves]


def test_neighbouring_events_of_a_person_share_a_wave_in_order() -> None:
    """Each is a parcel of its own."""
    plan = DomainEventsPlan()

    assert names(carry_out(plan, [make(n, name) for n, name in enumerate("abc")])) == [["a", "b", "c"]]
    assert told(plan) == ["delivered"] * 3


def test_a_repeat_waits_for_the_verdict() -> None:
    """Delivered once it is a duplicate; a repeat of a dead one is tried."""
    records = [make(n) for n in range(3)]
    refusals = iter([False, True])
    good, bad = DomainEventsPlan(), DomainEventsPlan()

    assert len(carry_out(good, records)) == 1
    assert len(carry_out(bad, records, decides=lambda _: next(refusals))) == 2
    assert told(good) == ["delivered", "duplicate:fingerprint", "duplicate:fingerprint"]
    assert told(bad) == ["dead:rejected", "delivered", "duplicate:fingerprint"]


def test_what_follows_a_waiting_repeat_waits_too() -> None:
    """A person's events reach Customer.io in the topic's order, whatever becomes of the repeat; others go ahead."""
    plan = DomainEventsPlan()
    records = [make(0, "a"), make(1, "a"), make(2, "b"), make(3, "c", user_id="u-2")]

    assert names(carry_out(plan, records, decides=lambda _: False)) == [["a", "c"], ["a", "b"]]


def test_anonymous_events_go_one_at_a_time() -> None:
    """Their endpoint takes one; of one person the next waits, of others it does not."""
    plan = DomainEventsPlan()
    records = [
        make(0, "a", anonymous_id="x"),
        make(1, "b", anonymous_id="x"),
        make(2, "c", anonymous_id="y"),
        make(3, "d"),
        make(4, "e"),
    ]
    waves = carry_out(plan, records)

    assert names(waves) == [["a", "c", "d", "e"], ["b"]]
    assert [[parcel.anonymous for parcel in wave] for wave in waves] == [[True, True, False, False], [True]]


def test_a_user_and_an_anonymous_person_of_one_id_are_two() -> None:
    """Neither is the other's repeat, nor waits for it."""
    plan = DomainEventsPlan()
    records = [make(0, id="e-1", anonymous_id="x"), make(1, id="e-1", user_id="x")]

    assert len(carry_out(plan, records)) == 1
    assert told(plan) == ["delivered"] * 2
    assert [each.user_id for each in plan.conclusions] == ["x", "x"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (PersonState(deleted=True), "skipped:user_deleted"),
        (PersonState(opted_out=True), "skipped:user_opted_out"),
        (PersonState(deleted=True, opted_out=True), "skipped:user_deleted"),
        (PersonState(fingerprint=bytes(16)), "delivered"),
    ],
)
def test_events_of_somebody_gone_are_skipped(state: PersonState, expected: str) -> None:
    """Nothing is sent and nothing remembered of them."""
    plan, memory = DomainEventsPlan(), FakeMemory(people={b"u-1": pack(state)})
    waves = carry_out(plan, [make(0)], memory=memory)

    assert (told(plan), len(waves), len(plan.events())) == (
        [expected],
        *([1, 1] if expected == "delivered" else [0, 0]),
    )


def test_an_anonymous_id_is_nobody_in_the_ledger() -> None:
    """A deleted user of the same id is somebody else."""
    plan, memory = DomainEventsPlan(), FakeMemory(people={b"x": pack(PersonState(deleted=True))})
    carry_out(plan, [make(0, anonymous_id="x")], memory=memory)

    assert told(plan) == ["delivered"]


def test_what_is_remembered_is_a_duplicate() -> None:
    """By fingerprint, and without a request."""
    first = DomainEventsPlan()
    carry_out(first, [make(0)])
    again, memory = DomainEventsPlan(), FakeMemory(fingerprints=set(first.events()))

    assert (carry_out(again, [make(1)], memory=memory), told(again)) == ([], ["duplicate:fingerprint"])


def test_only_what_was_delivered_is_remembered() -> None:
    """Once each, as the fingerprints that the results tell."""
    plan = DomainEventsPlan()
    records = [make(0, "a"), make(1, "b"), make(2, "a")]
    carry_out(plan, records, decides=lambda parcel: b'"a"' in parcel.bodies[0])

    assert plan.events() == [c.fingerprint for c in plan.conclusions if c.outcome == "delivered"]
    assert (len(plan.events()), plan.people()) == (1, [])


def test_a_result_tells_the_event() -> None:
    """ULID and operation stand in every conclusion, sent or not."""
    plan = DomainEventsPlan()
    (wave,) = carry_out(plan, [make(0), make(1)])
    told_ids = {conclusion.event_id for conclusion in plan.conclusions}

    assert told_ids == {orjson.loads(wave[0].bodies[0])["id"]}
    assert {conclusion.operations for conclusion in plan.conclusions} == {("event",)}


def test_what_is_at_fault_by_itself_is_dead_without_a_request() -> None:
    """Malformed and too large events stop nobody."""
    plan = DomainEventsPlan()
    records = [
        InputRecord(topic="domain-events", value=None, offset=0),
        make(1, "x" * 101),
        make(2, data={"text": "x" * 32_000}),
        make(3),
    ]

    assert len(carry_out(plan, records)) == 1
    assert told(plan) == ["dead:malformed", "dead:too_large", "dead:too_large", "delivered"]
