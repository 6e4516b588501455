"""Replays in any order, between any live changes, end with the person's newest data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import orjson
from hypothesis import given
from hypothesis import strategies as st

from agents.plan import Plan
from agents.plans.replay import ReplayPlan
from agents.plans.user_changes import UserChangesPlan
from schemas.delivery import Parcel
from schemas.person_state import unpack
from tests.builders import carry_out, make_change
from tests.fakes import FakeMemory
from tests.replays import replay_of
from tests.unit.input_records import InputRecord

Order = Literal["version", "occurred_at", "offset"]


@dataclass(frozen=True, slots=True)
class Step:
    """A live change, whose record dies or not, or the replay of one that died."""

    record: InputRecord
    is_replay: bool
    dies: bool


@st.composite
def stories(draw: st.DrawFn, order: Order) -> list[Step]:
    """Live changes in their order; each dead one is replayed somewhere after it, until it lives."""
    steps: list[Step] = []
    for offset in range(draw(st.integers(1, 8))):
        fields: dict[str, object] = {} if order == "offset" else {order: draw(st.integers(1, 3))}
        record = make_change("u", offset=offset, attributes={f"mark-{offset}": 1}, **fields)
        steps.append(Step(record, is_replay=False, dies=draw(st.booleans())))
    for step in [each for each in steps if each.dies]:
        place = steps.index(step)
        for is_last in (False, True) if draw(st.booleans()) else (True,):
            place = draw(st.integers(place + 1, len(steps)))
            steps.insert(place, Step(step.record, is_replay=True, dies=not is_last))
    return steps


def chunks(steps: Sequence[Step], cuts: Sequence[bool]) -> Iterator[list[Step]]:
    """Neighbours of one kind may share a chunk; a replay that dies once more is alone, as it may come again soon."""
    chunk: list[Step] = []
    for number, step in enumerate(steps):
        is_alone = step.is_replay and step.dies
        if chunk and (chunk[-1].is_replay != step.is_replay or is_alone or cuts[number % len(cuts)]):
            yield chunk
            chunk = []
        chunk.append(step)
        if is_alone:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def carried_out(steps: Sequence[Step], cuts: Sequence[bool]) -> FakeMemory:
    """The memory in the end."""
    memory = FakeMemory()
    for chunk in chunks(steps, cuts):
        dead = [b'"mark-%d"' % step.record.offset for step in chunk if step.dies]
        plan: Plan = ReplayPlan() if chunk[0].is_replay else UserChangesPlan()
        records = [replay_of(s.record, offset=n) if s.is_replay else s.record for n, s in enumerate(chunk)]
        carry_out(plan, records, memory=memory, decides=partial(_is_clean, dead))
        memory.people.update(plan.people())
    return memory


def _is_clean(dead: Sequence[bytes], parcel: Parcel) -> bool:
    return not any(mark in parcel.bodies[0] for mark in dead)


def fingerprint_of(record: InputRecord) -> bytes:
    """What is remembered of it once it was delivered."""
    plan = UserChangesPlan()
    carry_out(plan, [record])
    return plan.conclusions[0].fingerprint or b""


@given(st.sampled_from(get_args(Order)).flatmap(stories), st.lists(st.booleans(), min_size=1))
def test_the_newest_data_is_what_is_left(steps: list[Step], cuts: list[bool]) -> None:
    """By version or time where all have one, then by the topic's order, as if nothing had ever died."""
    lived = [step.record for step in steps if not step.dies]

    def age(record: InputRecord) -> tuple[int, int]:
        said = orjson.loads(record.value or b"")
        return said.get("version", said.get("occurred_at", 0)), record.offset

    memory = carried_out(steps, cuts)
    newest = max(lived, key=age, default=None)
    state = memory.people.get(b"u")

    assert (unpack(state).fingerprint if state else None) == (fingerprint_of(newest) if newest else None)
