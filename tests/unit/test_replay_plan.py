"""A chunk of replays: whose plan takes each record, and what becomes of those that nobody takes."""

from dataclasses import replace

import pytest

from agents.plan import carry_out as carry_out_with
from agents.plans.domain_events import DomainEventsPlan
from agents.plans.replay import ReplayPlan
from agents.plans.replay_stages import PLANS
from schemas.person_state import PersonState, pack, unpack
from streams.app import AGENTS, SENDING_AGENTS
from streams.kafka import topic_plan
from tests.builders import carry_out, make_change, make_deletion, operations_of, told
from tests.fakes import FakeCourier, FakeMemory
from tests.replays import replay_of
from tests.unit.input_records import InputRecord, make_event


def test_every_topic_that_is_delivered_from_can_be_replayed() -> None:
    """Else its letters could be written, and never be sent again."""
    assert PLANS.keys() == (AGENTS | SENDING_AGENTS).keys() - {topic_plan.REPLAY}


def test_changes_and_events_share_a_wave_and_each_gets_its_own_verdict() -> None:
    """Whatever is refused, the verdicts find their records."""
    records = [
        replay_of(make_change("a"), offset=0),
        replay_of(make_event(id="e-1"), offset=1),
        replay_of(make_change("b"), offset=2),
        replay_of(make_event(id="e-2"), offset=3),
        replay_of(make_deletion("a", offset=1), offset=4),
    ]
    plan = ReplayPlan()
    waves = carry_out(plan, records, decides=lambda parcel: b'"b"' not in parcel.bodies[0])

    assert operations_of(waves) == [["identify", "identify", "event", "event"], ["suppress+delete"]]
    assert told(plan) == ["delivered", "delivered", "dead:rejected", "delivered", "delivered"]
    assert [len(plan.people()), len(plan.events())] == [1, 2]


def test_an_event_waits_for_the_changes_that_decide_on_it() -> None:
    """And for nothing else: it is judged by what became of them, as if they had come in chunks of their own."""
    records = [
        make_deletion("a"),
        make_event(user_id="a", id="e-1"),
        make_change("b", preferences={"marketing": False, "transactional": False}),
        make_event(user_id="b", id="e-2"),
        make_change("b", offset=1, preferences={"marketing": True}),
        make_event(user_id="b", id="e-3"),
        make_change("c"),
        make_event(user_id="c", id="e-4"),
    ]
    plan = ReplayPlan()
    waves = carry_out(plan, [replay_of(each, offset=offset) for offset, each in enumerate(records)])

    assert operations_of(waves) == [
        ["suppress+delete", "suppress", "identify", "event"],
        ["unsuppress"],
        ["identify"],
        ["event"],
    ]
    assert told(plan) == [
        *("delivered", "skipped:user_deleted", "delivered", "skipped:user_opted_out"),
        *["delivered"] * 4,
    ]
    assert [3, 2] == [len(plan.people()), len(plan.events())]


def test_a_change_that_decides_on_events_waits_for_those_before_it() -> None:
    """They are not skipped for what comes after them, nor sent together with it."""
    plan = ReplayPlan()
    waves = carry_out(plan, [replay_of(make_event(id="e-1")), replay_of(make_deletion("u-1"), offset=1)])

    assert operations_of(waves) == [["event"], ["suppress+delete"]]
    assert told(plan) == ["delivered", "delivered"]


def test_a_deletion_that_is_refused_decides_nothing() -> None:
    """The event after it goes."""
    plan = ReplayPlan()
    records = [replay_of(make_deletion("u-1")), replay_of(make_event(), offset=1)]
    carry_out(plan, records, decides=lambda parcel: b'"delete"' not in parcel.bodies[-1])

    assert told(plan) == ["dead:rejected", "delivered"]


def test_an_event_has_its_first_time_and_ulid() -> None:
    """Though the replay is a day younger, and the event names no time of its own."""
    event, live, replay = make_event(data={"n": 1}), DomainEventsPlan(), ReplayPlan()
    first = carry_out(live, [event], decides=lambda _: False)
    again = carry_out(replay, [replay_of(event, offset=9)])

    assert first == again
    assert [each.event_id for each in live.conclusions] == [each.event_id for each in replay.conclusions]


def test_an_event_that_was_delivered_meanwhile_is_a_duplicate() -> None:
    """By a repeat upstream, or by another replay."""
    first, again = ReplayPlan(), ReplayPlan()
    carry_out(first, [replay_of(make_event())])
    carry_out(again, [replay_of(make_event())], memory=FakeMemory(fingerprints=set(first.events())))

    assert told(again) == ["duplicate:fingerprint"]


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        (
            InputRecord(value=b"{}"),
            "headers: __dlq.errors.topic, partition and offset must say where the record was first",
        ),
        (
            replay_of(replace(make_change(), topic="customerio-webhooks")),
            "headers: __dlq.errors.topic must name a topic that is delivered from",
        ),
        (
            replace(replay_of(make_change()), partition=1),
            "headers: a replay must be on the partition where the record was first",
        ),
    ],
)
def test_what_belongs_to_nobody_is_dead(record: InputRecord, detail: str) -> None:
    """Without a request, and it says why."""
    plan = ReplayPlan()
    waves = carry_out(plan, [replace(record, topic="customerio-replay", key=b"u-1")])
    (found,) = plan.conclusions

    assert (waves, found.outcome, found.reason, found.detail) == ([], "dead", "malformed", detail)
    assert (found.user_id, found.operations) == ("u-1", ())


def test_topics_may_have_a_prefix() -> None:
    """The full name ends with the short one."""
    plan = ReplayPlan()
    carry_out(plan, [replace(replay_of(replace(make_change(), topic="t.user-changes")), topic="t.customerio-replay")])

    assert told(plan) == ["delivered"]


def test_what_is_malformed_is_so_again() -> None:
    """A replay of the same bytes meets the same schema."""
    plan = ReplayPlan()
    carry_out(plan, [replay_of(InputRecord(key=b"u-1", value=b"{", offset=3))])

    assert told(plan) == ["dead:malformed"]


def test_a_later_record_of_the_topic_supersedes_a_replay() -> None:
    """Also where neither names a version or a time; the result says why."""
    memory = FakeMemory(people={b"u-1": pack(PersonState(bytes(16), offset=8))})
    plan = ReplayPlan()
    carry_out(
        plan, [replay_of(make_change(offset=7)), replay_of(make_change(offset=9, plan="x"), offset=1)], memory=memory
    )
    older = next(each for each in plan.conclusions if each.record.offset == 0)

    assert told(plan) == ["superseded:older_timestamp", "delivered"]
    assert older.detail == "a later record of the topic was delivered"
    assert unpack(dict(plan.people())[b"u-1"]).offset == 9


def test_replays_of_one_chunk_supersede_each_other() -> None:
    """A person's letters that were replayed in the wrong order end with the last one's data."""
    plan = ReplayPlan()
    carry_out(
        plan, [replay_of(make_change(offset=9, plan="new")), replay_of(make_change(offset=7, plan="old"), offset=1)]
    )

    assert told(plan) == ["delivered", "superseded:older_timestamp"]


def test_whoever_insists_is_delivered_although_it_is_older() -> None:
    """And what is newer stays known as newer."""
    memory = FakeMemory(people={b"u-1": pack(PersonState(bytes(16), version=4, sent_s=2_000_000_000, offset=8))})
    plan = ReplayPlan()
    (wave,) = carry_out(plan, [replay_of(make_change(offset=7, version=3), even_if_older=True)], memory=memory)
    state = unpack(dict(plan.people())[b"u-1"])

    assert told(plan) == ["delivered"]
    assert (state.version, state.offset, state.sent_s) == (4, 8, 2_000_000_000)
    assert b'"timestamp":2000000000' in wave[0].bodies[0]


def test_a_publishers_own_header_insists_on_nothing() -> None:
    """Only what stands behind ours is of whoever replays."""
    memory = FakeMemory(people={b"u-1": pack(PersonState(bytes(16), offset=8))})
    plan = ReplayPlan()
    record = replace(make_change(offset=7), headers=[("cio.even_if_older", b"1"), ("cio.replays", b"0")])
    carry_out(plan, [replay_of(record)], memory=memory)

    assert told(plan) == ["superseded:older_timestamp"]


def test_its_keys_are_persons_of_changes_and_fingerprints_of_events() -> None:
    """What the live plans of the same records have."""
    changes, events = [make_change("a"), make_deletion("b", offset=1)], [make_event(id="e-1")]
    plan, live_changes, live_events = ReplayPlan(), PLANS["user-changes"](), PLANS["domain-events"]()
    plan.add([replay_of(record) for record in [*changes, *events]])
    live_changes.add(changes)
    live_events.add(events)

    assert plan.keys() == live_changes.keys() | live_events.keys()
    assert len(plan.keys()) == 3


async def test_a_plan_is_carried_out_with_any_memory_and_any_way_to_deliver() -> None:
    """As the pipeline does it, without one."""
    plan, courier = ReplayPlan(), FakeCourier()
    plan.add([replay_of(make_change()), replay_of(make_event(), offset=1)])
    await carry_out_with(plan, FakeMemory(), courier.deliver)

    assert (told(plan), operations_of(courier.waves)) == (["delivered"] * 2, [["identify", "event"]])
