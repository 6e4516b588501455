"""What becomes of replays does not depend on where their chunks end: so a rehearsal's verdicts are a worker's."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import orjson
from hypothesis import given
from hypothesis import strategies as st

from agents.plans.replay import ReplayPlan
from schemas.delivery import Parcel
from schemas.send_memory import send_key
from tests.builders import carry_out, make_change, make_deletion, told
from tests.fakes import FakeMemory
from tests.replays import replay_of
from tests.sends import make_message
from tests.unit.input_records import InputRecord, make_event

KINDS: Final = (
    *("change", "opt_in", "opt_out", "deletion", "event", "repeat", "anonymous", "malformed"),
    *("message", "resent", "addressed"),
)
PEOPLE: Final = ("a", "b")
_WHO: Final = {"event": "user_id", "anonymous": "anonymous_id"}
_MESSAGES: Final[dict[str, str]] = {"message": "id", "resent": "id", "addressed": "email"}
_RESENT: Final = "known"
_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "change": {},
    "opt_in": {"preferences": {"marketing": True}},
    "opt_out": {"attributes": {}, "preferences": {"marketing": False, "transactional": False}},
    "malformed": {"email": 7},
}


def record_of(kind: str, person: str, number: int) -> InputRecord:
    """Build one; a change or event of its own has a mark, by which it may be refused, and which no merging replaces."""
    mark = {f"mark-{number}": 1}
    if kind == "deletion":
        return make_deletion(person)
    if kind in _WHO:
        who: dict[str, Any] = {_WHO[kind]: person}
        return make_event(data=mark, **who)
    if kind == "repeat":
        return make_event(data=mark, user_id=person, id="known")
    if kind in _MESSAGES:
        identifiers = {_MESSAGES[kind]: person if kind != "addressed" else f"{person}@example.com"}
        message_id = _RESENT if kind != "message" else f"m-{number}"
        return make_message(message_id, identifiers=identifiers, message_data=mark)
    fields = {"attributes": mark, **_FIELDS[kind]}
    return make_change(person, **fields)


@st.composite
def letters(draw: st.DrawFn) -> list[InputRecord]:
    """Replays of a few persons; their changes may come in another order than they first stood in."""
    kinds = draw(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(PEOPLE)), min_size=2, max_size=12))
    places = draw(st.permutations(range(len(kinds)))) if draw(st.booleans()) else range(len(kinds))
    records = [record_of(kind, person, number) for number, (kind, person) in enumerate(kinds)]
    return [
        replay_of(replace(record, offset=place), offset=number)
        for number, (record, place) in enumerate(zip(records, places, strict=True))
    ]


def chunks(records: Sequence[InputRecord], cuts: Sequence[bool]) -> Iterator[list[InputRecord]]:
    """Cut where `cuts` says so."""
    chunk: list[InputRecord] = []
    for number, record in enumerate(records):
        chunk.append(record)
        if cuts[number % len(cuts)]:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def carried_out(those: Iterable[list[InputRecord]], refused: Sequence[bytes]) -> tuple[list[str], Any]:
    """What became of each record, and what is remembered in the end."""
    found, memory, ids = list[str](), FakeMemory(), set[bytes]()
    for chunk in those:
        plan = ReplayPlan()
        carry_out(plan, chunk, memory=memory, decides=partial(_is_clean, refused))
        memory.people.update(plan.people())
        memory.fingerprints.update(plan.events())
        for _, send_id, entry in plan.sends():
            memory.sends.take(send_id, entry, 1000)
            ids.add(send_id)
        found += told(plan)
    known = {send_id: memory.send_state(send_key("message", send_id)) for send_id in ids}
    return found, (memory.people, memory.fingerprints, known)


def _is_clean(refused: Sequence[bytes], parcel: Parcel) -> bool:
    return not any(mark in body for mark in refused for body in parcel.bodies)


@given(
    letters(),
    st.lists(st.booleans(), min_size=1),
    st.lists(st.integers(0, 12).map(lambda number: orjson.dumps(f"mark-{number}")) | st.just(b'"delete"'), max_size=3),
)
def test_it_is_the_same_however_they_are_cut(
    records: list[InputRecord], cuts: list[bool], refused: list[bytes]
) -> None:
    """Outcome and reason of each, and what is remembered, are those of replays that come one by one."""
    assert carried_out(([each] for each in records), refused) == carried_out(chunks(records, cuts), refused)
