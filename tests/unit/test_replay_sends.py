"""Sends in a chunk of replays: judged by the changes before them, each at most once and in order whatever its stage."""

from agents.plans.replay import ReplayPlan
from schemas.send_memory import Known
from tests.builders import carry_out, make_change, make_deletion, operations_of, told
from tests.replays import replay_of
from tests.sends import make_message, make_trigger
from tests.unit.input_records import InputRecord, make_event


def replayed(*records: InputRecord) -> list[InputRecord]:
    """Their replays, in this order."""
    return [replay_of(record, offset=offset) for offset, record in enumerate(records)]


def known_of(plan: ReplayPlan) -> list[tuple[int, bytes, Known | None]]:
    """What it remembers of sends: offset, id, and what is known."""
    return [(offset, send_id, entry.known) for offset, send_id, entry in plan.sends()]


def test_a_message_waits_for_the_changes_that_decide_on_it() -> None:
    """As an event does; and a change that decides waits for the messages before it."""
    plan = ReplayPlan()
    waves = carry_out(
        plan,
        replayed(
            make_message("m-1", "a"),
            make_deletion("a"),
            make_message("m-2", "a"),
            make_change("b"),
            make_message("m-3", "b"),
        ),
    )

    assert operations_of(waves[1:]) == [["suppress+delete"]]
    assert told(plan) == ["delivered", "delivered", "skipped:user_deleted", "delivered", "delivered"]
    assert known_of(plan) == [(0, b"m-1", "sent"), (4, b"m-3", "sent")]


def test_a_repeat_in_a_later_stage_is_not_sent() -> None:
    """What an earlier stage sent is known there, before anybody has committed it."""
    optin = make_change("a", preferences={"marketing": True})
    plan = ReplayPlan()
    carry_out(plan, replayed(make_message("m-1", "a"), optin, make_message("m-1", "a", offset=1)))

    assert told(plan) == ["delivered", "delivered", "duplicate:fingerprint"]


def test_sends_of_one_id_or_to_one_person_keep_their_order_across_stages() -> None:
    """Whoever is named by an address has no changes to wait for, but waits for those who have."""
    optin, ada = make_change("a", preferences={"marketing": True}), {"email": "ada@example.com"}
    repeat, next_one = make_message("m-1", offset=1, identifiers=ada), make_message("m-2", offset=2, identifiers=ada)
    plan = ReplayPlan()
    waves = carry_out(
        plan,
        replayed(make_event(user_id="a"), optin, make_message("m-1", "a"), repeat, next_one),
        decides=lambda parcel: parcel.send is None or parcel.send.user_id != "a",
    )

    assert [["m-1"], ["m-1"], ["m-2"]] == [[each.send.send_id for each in wave if each.send] for wave in waves[2:]]
    assert told(plan) == ["delivered", "delivered", "dead:rejected", "delivered", "delivered"]
    assert known_of(plan) == [(3, b"m-1", "sent"), (4, b"m-2", "sent")]


def test_triggers_wait_for_nobodys_changes() -> None:
    """Those of one broadcast go one after the other."""
    plan = ReplayPlan()
    waves = carry_out(plan, replayed(make_deletion("a"), make_trigger("t-1"), make_trigger("t-2", offset=1)))

    assert [2, 1] == [len(wave) for wave in waves]
    assert told(plan) == ["delivered"] * 3
