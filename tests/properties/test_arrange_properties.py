"""Plans against a reference that handles one record at a time: same outcomes, same final state, order kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from agents.plans.domain_events import DomainEventsPlan
from agents.plans.user_changes import UserChangesPlan
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel
from tests.builders import carry_out, make_change, make_deletion
from tests.fakes import FakeMemory
from tests.unit.input_records import InputRecord

POISON = "poison"  # Customer.io refuses every operation that holds it
PERSONS = ("a", "b", "c")
PREFERENCES: Sequence[Mapping[str, object]] = (
    {"marketing": True},
    {"marketing": False},
    {"marketing": False, "transactional": False},
)


def is_clean(parcel: Parcel) -> bool:
    """A stand-in for Customer.io's judgement that depends on content alone."""
    return not any(POISON.encode() in body for body in parcel.bodies)


@dataclass(slots=True)
class Known:
    """What the reference knows of a person."""

    content: object = None
    version: int | None = None
    occurred_s: int | None = None
    sent_s: int = 0
    gone: str = ""
    applied: dict[str, object] = field(default_factory=dict)


def newest(*values: int | None) -> int | None:
    """The highest of those that are known."""
    return max((value for value in values if value is not None), default=None)


def expect(change: dict[str, Any], known: Known) -> str:
    """One change, straight from the contract's text; changes `known`."""
    version, occurred_s = change.get("version"), change.get("occurred_at")
    if version is not None and known.version is not None:
        if version < known.version:
            return "superseded:older_version"
    elif occurred_s is not None and known.occurred_s is not None and occurred_s < known.occurred_s:
        return "superseded:older_timestamp"
    outcome, content = _expect_kind(change, known)
    if outcome in {"delivered", "duplicate:fingerprint"}:
        known.content = content
        known.version, known.occurred_s = newest(known.version, version), newest(known.occurred_s, occurred_s)
    return outcome


def _expect_kind(change: dict[str, Any], known: Known) -> tuple[str, object]:
    user = change.get("user")
    if user is None:
        if known.gone == "deleted":
            return "duplicate:fingerprint", known.content
        known.gone, known.applied = "deleted", {}
        return "delivered", "deleted"
    if known.gone == "deleted":
        return "skipped:user_deleted", None
    preferences = user.get("preferences") or {}
    if preferences == {"marketing": False, "transactional": False}:
        if known.gone == "opted_out":
            return "duplicate:fingerprint", known.content
        known.gone = "opted_out"
        return "delivered", "opted_out"
    return _expect_identify(user, known, opts_in=True in preferences.values())


def _expect_identify(user: dict[str, Any], known: Known, *, opts_in: bool) -> tuple[str, object]:
    if known.gone and not opts_in:
        return "skipped:user_opted_out", None
    if known.gone:
        known.gone, known.content = "", None
    if user == known.content:
        return "duplicate:fingerprint", user
    if "attributes" in user:
        return "dead:rejected", None
    known.applied |= {name: value for name, value in user.items() if name != "preferences"}
    return "delivered", user


ORDER = st.fixed_dictionaries({}, optional={"version": st.integers(1, 4), "occurred_at": st.integers(1, 4)})
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "plan": st.sampled_from(["free", "pro"]),
        "email": st.sampled_from(["x@example.com", "y@example.com", None]),
        "attributes": st.just({"p": POISON}),  # no other value: merging must not heal it
        "preferences": st.sampled_from(PREFERENCES),
    },
)


@st.composite
def user_changes(draw: st.DrawFn) -> list[InputRecord]:
    """Changes of a few persons, dense enough to repeat, overtake, end and come back."""
    records = []
    for offset in range(draw(st.integers(1, 25))):
        person, order = draw(st.sampled_from(PERSONS)), draw(ORDER)
        if draw(st.integers(0, 7)):
            records.append(make_change(person, offset=offset, **order, **draw(FIELDS)))
        else:
            records.append(make_deletion(person, offset=offset, **order))
    return records


def chunks(records: Sequence[InputRecord], cuts: Iterable[int]) -> list[Sequence[InputRecord]]:
    """Cut at these places."""
    bounds = [0, *sorted({cut % len(records) for cut in cuts}), len(records)]
    return [part for start, end in pairwise(bounds) if (part := records[start:end])]


def word(conclusion: Conclusion) -> str:
    """Outcome and reason."""
    return f"{conclusion.outcome}:{conclusion.reason}" if conclusion.reason else conclusion.outcome


def sent_items(waves: list[list[Parcel]]) -> list[dict[str, Any]]:
    """Every operation that Customer.io accepted, in order."""
    return [orjson.loads(body) for wave in waves for parcel in wave if is_clean(parcel) for body in parcel.bodies]


def apply_all(items: Iterable[dict[str, Any]]) -> dict[str, tuple[dict[str, object], bool]]:
    """What Customer.io holds afterwards: attributes and suppression of each person."""
    people: dict[str, tuple[dict[str, object], bool]] = {}
    for item in items:
        person = item["identifiers"]["id"]
        attributes, suppressed = people.get(person, ({}, False))
        match item["action"]:
            case "identify":
                assert not suppressed, "an identify of a suppressed person is lost"
                people[person] = (attributes | item["attributes"], False)
            case "delete":
                people[person] = ({}, suppressed)
            case action:
                people[person] = (attributes, action == "suppress")
    return people


@given(user_changes(), st.lists(st.integers(0, 24), max_size=4))
def test_changes_come_out_as_one_by_one(records: list[InputRecord], cuts: list[int]) -> None:
    """However they are chunked, merged and refused: each outcome, and what Customer.io holds in the end."""
    memory, outcomes = FakeMemory(), dict[int, str]()
    items: list[dict[str, Any]] = []
    for chunk in chunks(records, cuts):
        plan = UserChangesPlan()
        items += sent_items(carry_out(plan, chunk, decides=is_clean, memory=memory))
        memory.people.update(plan.people())
        assert sorted(c.record.offset for c in plan.conclusions) == [record.offset for record in chunk]
        outcomes |= {c.record.offset: word(c) for c in plan.conclusions}
    known = {person: Known() for person in PERSONS}
    expected = {r.offset: expect(orjson.loads(r.value or b""), known[(r.key or b"").decode()]) for r in records}

    assert expected == outcomes
    for person, (attributes, suppressed) in apply_all(items).items():
        applied = {name: value for name, value in known[person].applied.items() if name != "id"}
        assert {name: attributes.get(name) for name in applied} == applied
        assert suppressed == bool(known[person].gone)


@given(user_changes())
def test_waves_hold_a_person_once_and_keep_the_order(records: list[InputRecord]) -> None:
    """At most one parcel per person and wave; a person's timestamps never fall, and the last values are the last."""
    waves = carry_out(UserChangesPlan(), records, decides=is_clean)
    for wave in waves:
        persons = [orjson.loads(parcel.bodies[0])["identifiers"]["id"] for parcel in wave]
        assert sorted(set(persons)) == sorted(persons)

    for person in PERSONS:
        times = [
            item["timestamp"]
            for item in sent_items(waves)
            if item["identifiers"]["id"] == person and item["action"] == "identify"
        ]
        assert times == sorted(times)


@given(user_changes())
def test_merged_or_alone_the_fingerprints_are_the_same(records: list[InputRecord]) -> None:
    """A result's fingerprint is the record's own, whatever it travelled with."""
    together = UserChangesPlan()
    carry_out(together, records, decides=is_clean)
    alone = {}
    for record in records:
        plan = UserChangesPlan()
        carry_out(plan, [record], decides=is_clean)
        alone[record.offset] = plan.conclusions[0].fingerprint

    assert alone == {c.record.offset: c.fingerprint for c in together.conclusions}


@st.composite
def events(draw: st.DrawFn) -> list[InputRecord]:
    """Events of a few persons, many of them repeats."""
    records = []
    for offset in range(draw(st.integers(1, 25))):
        who = draw(st.sampled_from(["user_id", "anonymous_id"]))
        event: dict[str, object] = {
            "name": draw(st.sampled_from(["seen", "bought", POISON])),
            who: draw(st.sampled_from(PERSONS)),
        }
        event["occurred_at"] = draw(st.integers(1, 2))
        record = InputRecord(topic="domain-events", value=orjson.dumps(event), offset=offset)
        records.append(record)
    return records


@given(events(), st.lists(st.integers(0, 24), max_size=4), st.lists(st.booleans(), min_size=50, max_size=50))
def test_events_come_out_as_one_by_one(records: list[InputRecord], cuts: list[int], moods: list[bool]) -> None:
    """A repeat of a delivered one is a duplicate and of a refused one is tried; nothing is delivered twice."""
    memory, seen = FakeMemory(), set[object]()
    for chunk in chunks(records, cuts):
        plan = DomainEventsPlan()
        waves = carry_out(
            plan, chunk, memory=memory, decides=lambda parcel: is_clean(parcel) or moods[len(parcel.bodies[0]) % 50]
        )
        memory.fingerprints.update(plan.events())
        outcomes = {c.record.offset: c for c in plan.conclusions}
        for record in chunk:
            found = outcomes[record.offset]
            content = record.value
            if content in seen:
                assert word(found) == "duplicate:fingerprint"
            elif found.outcome == "delivered":
                seen.add(content)
            else:
                assert (word(found), POISON.encode() in (content or b"")) == ("dead:rejected", True)
        _check_event_order(chunk, waves)


def _check_event_order(chunk: Sequence[InputRecord], waves: list[list[Parcel]]) -> None:
    sent = [orjson.loads(parcel.bodies[0]) for wave in waves for parcel in wave]
    for who in ("user_id", "anonymous_id"):
        for person in PERSONS:
            topic = [value for record in chunk if (value := orjson.loads(record.value or b"")).get(who) == person]
            places = iter([(value["name"], value["occurred_at"]) for value in topic])
            own = [item for item in sent if _person(item) == (who, person)]
            assert all(any(place == (item["name"], item["timestamp"]) for place in places) for item in own)
    for wave in waves:
        anonymous = [orjson.loads(parcel.bodies[0])["anonymous_id"] for parcel in wave if parcel.anonymous]
        assert len(set(anonymous)) == len(anonymous)


def _person(item: dict[str, Any]) -> tuple[str, str]:
    if "anonymous_id" in item:
        return "anonymous_id", item["anonymous_id"]
    return "user_id", item["identifiers"]["id"]
