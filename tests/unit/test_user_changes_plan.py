"""A chunk of user changes: waves over many persons, what is remembered of them, what is at fault by itself."""

import orjson

from agents.plans.user_changes import UserChangesPlan
from schemas.delivery import Parcel
from schemas.person_id import erased_key
from schemas.person_state import PersonState, pack, unpack
from streams.delivery.ledger import PartitionMemory
from tests.builders import carry_out, make_change, make_deletion, operations_of, told
from tests.fakes import FakeMemory
from tests.unit.input_records import InputRecord

OUT = {"marketing": False, "transactional": False}


def is_of(user_id: str, parcel: Parcel) -> bool:
    """Whether the parcel is this person's."""
    return bool(orjson.loads(parcel.bodies[0])["identifiers"] == {"id": user_id})


def test_persons_share_waves_and_none_stands_in_one_twice() -> None:
    """A person with three kinds of change takes three waves, the others go in the first."""
    plan = UserChangesPlan()
    records = [
        make_change("a", offset=0),
        make_change("b", offset=1, preferences=OUT),
        make_change("a", offset=2, preferences=OUT),
        make_deletion("a", offset=3),
    ]

    assert operations_of(carry_out(plan, records)) == [["identify", "suppress"], ["suppress"], ["suppress+delete"]]
    assert told(plan) == ["delivered"] * 4


def test_a_tombstone_is_a_deletion() -> None:
    """Of the user whom the key names; after it nothing is delivered."""
    plan = UserChangesPlan()
    records = [
        InputRecord(key=b"a", value=None, offset=0),
        make_deletion("a", offset=1),
        make_change("a", offset=2),
    ]

    assert operations_of(carry_out(plan, records)) == [["suppress+delete"]]
    assert told(plan) == ["delivered", "duplicate:fingerprint", "skipped:user_deleted"]


def test_what_is_at_fault_by_itself_is_dead_without_a_request() -> None:
    """Malformed and too large records stop nobody."""
    plan = UserChangesPlan()
    records = [
        InputRecord(key=b"a", value=b"{", offset=0),
        InputRecord(key=None, value=None, offset=1),
        make_change("a" * 151, offset=2),
        make_change("b", offset=3),
    ]

    assert len(carry_out(plan, records)) == 1
    assert told(plan) == ["dead:malformed", "dead:malformed", "dead:too_large", "delivered"]
    malformed, _, too_large, _ = sorted(plan.conclusions, key=lambda each: each.record.offset)
    assert (malformed.operations, malformed.status, malformed.attempts, malformed.user_id) == ((), None, 0, "a")
    assert (too_large.operations, too_large.fingerprint is not None) == (("identify",), True)


def test_a_refusal_harms_nobody_else() -> None:
    """Verdicts find their persons in every wave."""
    plan = UserChangesPlan()
    records = [make_change(name, offset=n) for n, name in enumerate("abc")]
    records += [make_deletion(name, offset=n + 3) for n, name in enumerate("abc")]
    carry_out(plan, records, decides=lambda parcel: not (is_of("b", parcel) and len(parcel.bodies) == 1))

    assert told(plan) == ["delivered", "dead:rejected", "delivered", "delivered", "delivered", "delivered"]


def test_what_was_remembered_counts() -> None:
    """A packed state from the ledger decides as the live one does."""
    first = UserChangesPlan()
    carry_out(first, [make_change("a", version=5, occurred_at=50, plan="pro")])
    again, memory = UserChangesPlan(), FakeMemory(people=dict(first.people()))
    records = [make_change("a", offset=0, version=5, plan="pro"), make_change("a", offset=1, version=4, plan="free")]

    assert carry_out(again, records, memory=memory) == []
    assert told(again) == ["duplicate:fingerprint", "superseded:older_version"]


def test_only_changed_persons_are_written() -> None:
    """Plain repeats, refusals and skipped changes leave no ledger entry; a repeat that moves on does."""
    deleted = pack(PersonState(deleted=True, fingerprint=bytes(16)))
    plan, memory = UserChangesPlan(), FakeMemory(people={b"gone": deleted})
    records = [
        make_change("gone", offset=0),
        make_change("bad", offset=1),
        make_change("good", offset=2, version=3),
        make_change("good", offset=3, version=4),
    ]
    carry_out(plan, records, decides=lambda parcel: not is_of("bad", parcel), memory=memory)

    ((user_id, data),) = plan.people()
    assert (user_id, unpack(data).version) == (b"good", 4)


def test_an_accepted_unsuppress_is_remembered_even_if_the_identify_dies() -> None:
    """Else a repeat would send a second unsuppress, which is harmless, but events would stay skipped."""
    opted_out = pack(PersonState(opted_out=True, fingerprint=bytes(16)))
    plan, memory = UserChangesPlan(), FakeMemory(people={b"u-1": opted_out})
    records = [make_change(preferences={"marketing": True})]
    carry_out(plan, records, decides=lambda parcel: b"unsuppress" in parcel.bodies[0], memory=memory)

    ((_, data),) = plan.people()
    assert (told(plan), unpack(data)) == (["dead:rejected"], PersonState())


def test_records_may_be_added_in_parts() -> None:
    """What the pipeline adds piecemeal is one chunk: neighbours still merge."""
    plan = UserChangesPlan()
    plan.add([make_change("a", offset=0, plan="x")])

    assert operations_of(carry_out(plan, [make_change("a", offset=1, plan="y")])) == [["identify"]]
    assert told(plan) == ["delivered"] * 2


def test_a_plan_leaves_no_events() -> None:
    """User changes have no fingerprints in the dedupe window."""
    plan = UserChangesPlan()
    carry_out(plan, [make_change()])

    assert plan.events() == []


def test_the_ledger_does_not_learn_the_id_of_who_was_erased_again() -> None:
    """What is remembered of later records stands under the hashed key too."""
    memory = PartitionMemory(has_erased=True)
    memory.people = {
        erased_key(b"a"): pack(PersonState(version=1, deleted=True)),
        erased_key(b"b"): pack(PersonState(version=1, opted_out=True)),
    }
    plan = UserChangesPlan()
    records = [make_deletion("a", offset=0, version=2), make_change("b", offset=1, version=2, preferences=OUT)]

    assert carry_out(plan, records, memory=memory) == []
    assert told(plan) == ["duplicate:fingerprint"] * 2
    assert [key for key, _ in plan.people()] == [erased_key(b"a"), erased_key(b"b")]
