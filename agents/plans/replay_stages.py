"""Stages of a chunk of replays: the records of one are judged side by side, by what was delivered before all of them.

Events and messages are judged by whether their person is deleted or opted out, so a change that may decide on that and
the person's events or messages are never in the same stage. Decides on the order only.
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
from agents.steps.translate_event import translate_event
from agents.steps.translate_send import translate_message, translate_trigger
from schemas.conclusion import Conclusion
from schemas.delivery import Parcel, Verdict
from schemas.record import Record
from schemas.replayed import Replayed, first_place, is_wanted_even_if_older, is_wanted_even_if_sent
from schemas.send_memory import SendEntry
from schemas.translated import Change, Event, Send, Unsendable


def translate_replayed_change(record: Record) -> Change | Unsendable:
    """Translate a user change that has been on `user-changes` before."""
    change = translate_change(record)
    origin = first_place(record)
    if isinstance(change, Unsendable) or origin is None:
        return change
    return change._replace(replayed=Replayed(origin.offset, is_wanted_even_if_older(record)))


def _replayed(translate: Callable[[Record], Send | Unsendable]) -> Callable[[Record], Send | Unsendable]:
    """Translate sends that have been on their own topic before."""

    def translated(record: Record) -> Send | Unsendable:
        send = translate(record)
        return send if isinstance(send, Unsendable) else send._replace(even_if_sent=is_wanted_even_if_sent(record))

    return translated


_CHANGES: Final = "user-changes"
_EVENTS: Final = "domain-events"
_MESSAGES: Final = "transactional-messages"
_TRIGGERS: Final = "broadcast-triggers"

#: By the short name of the topic, which is the end of the full one.
PLANS: Final[Mapping[str, Callable[[], Plan]]] = {
    _CHANGES: lambda: UserChangesPlan(translate=translate_replayed_change),
    _EVENTS: DomainEventsPlan,
    _MESSAGES: lambda: SendsPlan(translate=_replayed(translate_message)),
    _TRIGGERS: lambda: SendsPlan(translate=_replayed(translate_trigger)),
}
_TRANSLATE: Final[Mapping[str, Callable[[Record], Change | Event | Send | Unsendable]]] = {
    _CHANGES: translate_change,
    _EVENTS: translate_event,
    _MESSAGES: translate_message,
    _TRIGGERS: translate_trigger,
}


class Stages:
    """Says in which stage a record is: the first that is not before its person's last, nor a send's of the same id."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, bool | None]] = {}  # by person: the stage, and whether it asks about them
        self._sends: dict[bytes, int] = {}

    def stage_of(self, record: Record, topic: str) -> int:
        """Place the next record, which was on this topic (short name) at first."""
        found = _TRANSLATE[topic](record)
        if isinstance(found, Unsendable):
            return 0  # to be concluded at once
        if not isinstance(found, Send):
            return self._stage_of(found.user_id, found, earliest=0)
        stage = self._stage_of(found.user_id, found, earliest=self._sends.get(found.key, 0))
        self._sends[found.key] = stage
        return stage

    def _stage_of(self, user_id: str | None, found: Change | Event | Send, *, earliest: int) -> int:
        if user_id is None:
            return earliest
        stage, is_asked = self._last.get(user_id, (0, None))
        if isinstance(found, Change) and found.kind == "identify" and not found.opts_in:
            return stage  # nobody asks for it
        asks = not isinstance(found, Change)
        if is_asked not in (None, asks):
            stage += 1
        stage = max(stage, earliest)
        self._last[user_id] = stage, asks
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

    def sends(self) -> list[tuple[int, bytes, SendEntry]]:
        """What is to be remembered of sends: the record's offset, the ledger's key and its entry."""
        return [entry for plan in self._plans.values() for entry in plan.sends()]
