"""Stages of a chunk of replays: the records of one are judged side by side, by what was delivered before all of them.

An event or a message is judged by whether its person is deleted or opted out, so a change that may decide on that and
what is judged by it are never in the same stage. Decides on the order only.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Final

from agents.plan import Plan
from agents.plans.domain_events import DomainEventsPlan
from agents.plans.sends import SendsPlan
from agents.plans.user_changes import UserChangesPlan
from agents.ports import Memory
from agents.steps.translate_change import translate_change
from agents.steps.translate_send import translate_message, translate_trigger
from agents.translations import TRANSLATIONS
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.record import Record
from schemas.replayed import Replayed, first_place, is_wanted_even_if_older, is_wanted_even_if_sent
from schemas.send_memory import SendEntry
from schemas.translated import Change, Send, Unsendable


def translate_replayed_change(record: Record) -> Change | Unsendable:
    """Translate a user change that has been on `user-changes` before."""
    change = translate_change(record)
    origin = first_place(record)
    if isinstance(change, Unsendable) or origin is None:
        return change
    return change._replace(replayed=Replayed(origin.offset, is_wanted_even_if_older(record)))


def translate_replayed_message(record: Record) -> Send | Unsendable:
    """Translate a message that has been on `transactional-messages` before."""
    return _as_wanted(translate_message(record), record)


def translate_replayed_trigger(record: Record) -> Send | Unsendable:
    """Translate a trigger that has been on `broadcast-triggers` before."""
    return _as_wanted(translate_trigger(record), record)


def _as_wanted(found: Send | Unsendable, record: Record) -> Send | Unsendable:
    return found if isinstance(found, Unsendable) else found._replace(even_if_sent=is_wanted_even_if_sent(record))


#: By the short name of the topic, which is the end of the full one.
PLANS: Final[Mapping[str, Callable[[], Plan]]] = {
    "user-changes": lambda: UserChangesPlan(translate=translate_replayed_change),
    "domain-events": DomainEventsPlan,
    "transactional-messages": lambda: SendsPlan(translate=translate_replayed_message),
    "broadcast-triggers": lambda: SendsPlan(translate=translate_replayed_trigger),
}


class Stages:
    """Says in which stage a record is, counted from 0: in the first one that is not before its person's last.

    Nor is a send before the last one to its person, however named, or of its id.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, bool]] = {}  # by person: the stage, and whether it has changes that decide
        self._sends: dict[str | bytes, int] = {}  # by what the order of sends is kept by

    def stage_of(self, record: Record, topic: str) -> int:
        """Place the next record, which was on this topic (short name) at first."""
        found = TRANSLATIONS[topic](record)
        if isinstance(found, Unsendable):
            return 0  # to be concluded at once
        if isinstance(found, Send):
            return self._stage_of_send(found)
        if isinstance(found, Change) and found.kind == "identify" and not found.opts_in:
            return self._last.get(found.user_id, (0, True))[0]  # nothing asks for it
        return self._place(found.user_id, decides=isinstance(found, Change))

    def _stage_of_send(self, send: Send) -> int:
        kept_by = (send.person, send.key)
        stage = self._place(send.user_id, decides=False, first=max(self._sends.get(each, 0) for each in kept_by))
        self._sends |= dict.fromkeys(kept_by, stage)
        return stage

    def _place(self, user_id: str | None, *, decides: bool, first: int = 0) -> int:
        if user_id is None:
            return first  # no change is about whoever is not named by an id
        stage, decided = self._last.get(user_id, (first, decides))
        stage = max(stage + (decided != decides), first)
        self._last[user_id] = stage, decides
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

    @property
    def passed_over(self) -> int:
        """How many records had their result before."""
        return sum(plan.passed_over for plan in self._plans.values())

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

    def sends(self) -> list[tuple[int, bytes, SendEntry]]:
        """What is to be remembered of sends: the record's offset, the ledger's key and its entry."""
        return [entry for plan in self._plans.values() for entry in plan.sends()]
