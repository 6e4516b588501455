"""Stages of a chunk of replays: the records of one are judged side by side, by what was delivered before all of them.

An event is judged by whether its person is deleted or opted out, so a change that may decide on that and the person's
events are never in the same stage. Decides on the order only.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Final

from agents.plan import Plan
from agents.plans.domain_events import DomainEventsPlan
from agents.plans.user_changes import UserChangesPlan
from agents.ports import Memory
from agents.steps.translate_change import translate_change
from agents.steps.translate_event import translate_event
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.record import Record
from schemas.replayed import Replayed, first_place, is_wanted_even_if_older
from schemas.translated import Change, Unsendable


def translate_replayed_change(record: Record) -> Change | Unsendable:
    """Translate a user change that has been on `user-changes` before."""
    change = translate_change(record)
    origin = first_place(record)
    if isinstance(change, Unsendable) or origin is None:
        return change
    return change._replace(replayed=Replayed(origin.offset, is_wanted_even_if_older(record)))


_EVENTS: Final = "domain-events"

#: By the short name of the topic, which is the end of the full one.
PLANS: Final[Mapping[str, Callable[[], Plan]]] = {
    "user-changes": lambda: UserChangesPlan(translate=translate_replayed_change),
    _EVENTS: DomainEventsPlan,
}


class Stages:
    """Says in which stage a record is: in the first one that is not before its person's last, counted from 0."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, bool | None]] = {}  # by person: the stage, and whether it has their events

    def stage_of(self, record: Record, topic: str) -> int:
        """Place the next record, which was on this topic (short name) at first."""
        is_event = topic == _EVENTS
        found = translate_event(record) if is_event else translate_change(record)
        if isinstance(found, Unsendable) or found.user_id is None:
            return 0  # nobody's, or to be concluded at once
        stage, has_events = self._last.get(found.user_id, (0, None))
        if isinstance(found, Change) and found.kind == "identify" and not found.opts_in:
            return stage  # no event asks for it
        if has_events not in (None, is_event):
            stage += 1
        self._last[found.user_id] = stage, is_event
        return stage


class Stage:
    """Some records of each topic; a wave is a wave of each plan, as when the lanes of their topics share requests."""

    def __init__(self) -> None:
        self._plans = {topic: make() for topic, make in PLANS.items()}
        self._waves: list[list[Parcel]] = []

    @property
    def plans(self) -> Sequence[Plan]:
        """Those of all topics."""
        return list(self._plans.values())

    @property
    def conclusions(self) -> list[Conclusion]:
        """What became of the records so far."""
        return [conclusion for plan in self._plans.values() for conclusion in plan.conclusions]

    def add(self, record: Record, topic: str) -> None:
        """Take a record that was on this topic (short name) at first."""
        self._plans[topic].add([record])

    def recall(self, memory: Memory) -> None:
        """Take up what was delivered before the stage."""
        for plan in self._plans.values():
            plan.recall(memory)

    def next_wave(self) -> list[Parcel]:
        """The parcels that may go now; empty when every record is concluded."""
        self._waves = [plan.next_wave() for plan in self._plans.values()]
        return [parcel for wave in self._waves for parcel in wave]

    def settle(self, verdicts: Sequence[Verdict]) -> None:
        """Take the verdicts on the last wave, in its order."""
        left = iter(verdicts)
        for plan, wave in zip(self._plans.values(), self._waves, strict=True):
            plan.settle(list(islice(left, len(wave))))

    def people(self) -> list[tuple[bytes, bytes]]:
        """The persons whose state has changed: ledger key and value."""
        return [entry for plan in self._plans.values() for entry in plan.people()]

    def events(self) -> list[bytes]:
        """The fingerprints of events that have been delivered."""
        return [fingerprint for plan in self._plans.values() for fingerprint in plan.events()]
