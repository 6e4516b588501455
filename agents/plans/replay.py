"""The plan for a chunk of replays: each record goes to the plan of the topic where it was first, and is judged there.

So a replay is no second way through the code. It knows what a replay must tell of itself, and nothing of sending.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Final

from agents.plan import Plan
from agents.plans.domain_events import DomainEventsPlan
from agents.plans.sends import SendsPlan
from agents.plans.user_changes import UserChangesPlan, conclude_unsendable
from agents.ports import Memory
from agents.steps.malformed import malformed
from agents.steps.translate_change import translate_change
from agents.steps.translate_send import translate_message, translate_trigger
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


def _replayed(translate: Callable[[Record], Send | Unsendable]) -> Callable[[Record], Send | Unsendable]:
    """Translate sends that have been on their own topic before."""

    def translated(record: Record) -> Send | Unsendable:
        send = translate(record)
        return send if isinstance(send, Unsendable) else send._replace(even_if_sent=is_wanted_even_if_sent(record))

    return translated


#: By the short name of the topic, which is the end of the full one.
PLANS: Final[Mapping[str, Callable[[], Plan]]] = {
    "user-changes": lambda: UserChangesPlan(translate=translate_replayed_change),
    "domain-events": DomainEventsPlan,
    "transactional-messages": lambda: SendsPlan(translate=_replayed(translate_message)),
    "broadcast-triggers": lambda: SendsPlan(translate=_replayed(translate_trigger)),
}


class ReplayPlan:
    """A wave is a wave of each plan, side by side as when the lanes of their topics share requests."""

    is_replay = True
    records_max: int | None = None

    def __init__(self) -> None:
        self._plans = {name: make() for name, make in PLANS.items()}
        self._strays: list[Conclusion] = []
        self._waves: list[list[Parcel]] = []

    @property
    def conclusions(self) -> Sequence[Conclusion]:
        """What became of the records so far, in no order."""
        return [*self._strays, *(conclusion for plan in self._plans.values() for conclusion in plan.conclusions)]

    @property
    def passed_over(self) -> int:
        """How many records had their result before."""
        return sum(plan.passed_over for plan in self._plans.values())

    def add(self, records: Iterable[Record]) -> None:
        """Take records in offset order; those of which nobody knows where they belong are concluded at once."""
        for record in records:
            plan = self._plan_of(record)
            if isinstance(plan, str):
                self._strays.append(conclude_unsendable(malformed(record, plan)))
            else:
                plan.add([record])

    def _plan_of(self, record: Record) -> Plan | str:
        """The plan that it belongs to, or why there is none."""
        origin = first_place(record)
        if origin is None:
            return "headers: __dlq.errors.topic, partition and offset must say where the record was first"
        if origin.partition != record.partition:
            return "headers: a replay must be on the partition where the record was first"
        plans = (plan for name, plan in self._plans.items() if origin.topic.endswith(name))
        return next(plans, "headers: __dlq.errors.topic must name a topic that is delivered from")

    def keys(self) -> AbstractSet[str | bytes]:
        """Those of all."""
        return frozenset[str | bytes]().union(*(plan.keys() for plan in self._plans.values()))

    def recall(self, memory: Memory) -> None:
        """Take up what was delivered before."""
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
