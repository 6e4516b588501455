"""What happened: events by whoever they belong to, each ULID once. Bounded; it knows no rule about people."""

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from streams.sandbox.operation import Identifier, Operation
from streams.sandbox.person import Person

EVENTS_MAX: Final = 100_000
"""The newest events that are kept with their content; the counters stay exact."""

IDS_MAX: Final = 1_000_000
"""The newest ULIDs by which a repeat is recognised."""

WAITING_MAX: Final = 100_000
"""The identifiers whose events may still get a person, newest last."""

HANDED_OVER_S: Final = 30 * 86_400
"""A merge moves, and an anonymous id keeps, the events of the last 30 days."""

Owner = Person | Identifier


@dataclass(slots=True, kw_only=True, eq=False)
class Event:
    """An event in somebody's history: a person's, or an identifier's until there is a person for it."""

    owner: Owner
    operation: Operation
    received_at: float


class History:
    """The events. A ULID is remembered for `window_s`, or as long as there is room."""

    def __init__(self, *, window_s: float | None = None, events_max: int = EVENTS_MAX, ids_max: int = IDS_MAX) -> None:
        self.counts: Counter[str] = Counter()
        self._window_s = window_s
        self._ids_max = ids_max
        self._ids: set[str] = set()
        self._ids_by_age: deque[str] = deque()
        self._times: deque[float] = deque()
        self._events: deque[Event] = deque(maxlen=events_max)
        self._waiting: OrderedDict[Identifier, None] = OrderedDict()
        self._joined: OrderedDict[Identifier, Person] = OrderedDict()

    def is_repeat(self, event_id: str | None, *, now: float) -> bool:
        """Whether an event with this ULID has been kept within the window."""
        if self._window_s is not None:
            while self._times and self._times[0] <= now - self._window_s:
                self._forget_oldest_id()
        return event_id in self._ids

    def keep(self, operation: Operation, *, owner: Owner, received_at: float, now: float) -> None:
        """Add an event that is no repeat."""
        if operation.event_id is not None:
            self._ids.add(operation.event_id)
            self._ids_by_age.append(operation.event_id)
            self._times.append(now)
            if len(self._ids) > self._ids_max:
                self._forget_oldest_id()
        if isinstance(owner, Identifier):
            self._waiting[owner] = None
            if len(self._waiting) > WAITING_MAX:
                self._waiting.popitem(last=False)
        self.counts[_counter(operation, owner)] += 1
        self._events.append(Event(owner=owner, operation=operation, received_at=received_at))

    def of(self, owner: Owner) -> list[Event]:
        """Return the events of one owner, of those that are still kept, in the order in which they were applied."""
        return [event for event in self._events if event.owner == owner]

    def owner_of(self, anonymous: Identifier) -> Owner:
        """Return the person who was identified with an anonymous id, else the id."""
        return self._joined.get(anonymous, anonymous)

    def join(self, anonymous: Identifier, *, person: Person, now: float) -> None:
        """Give `person` the events of an anonymous id, those to come included; such an id is not reusable."""
        if anonymous in self._joined:
            return
        self._joined[anonymous] = person
        if len(self._joined) > WAITING_MAX:
            self._joined.popitem(last=False)
        if anonymous in self._waiting:
            del self._waiting[anonymous]
            self.hand_over(anonymous, taker=person, now=now)

    def adopt(self, identifier: Identifier, *, person: Person) -> None:
        """Give `person` the events that were held until somebody has `identifier`."""
        if identifier not in self._waiting:
            return
        del self._waiting[identifier]
        for event in self.of(identifier):
            event.owner = person
            self.counts["held"] -= 1
            self.counts["person"] += 1

    def hand_over(self, giver: Owner, *, taker: Person, now: float) -> None:
        """Give one's events to another: those that are not too old for it."""
        for event in self.of(giver):
            happened_at = event.received_at if event.operation.timestamp is None else event.operation.timestamp
            if happened_at > now - HANDED_OVER_S:
                event.owner = taker

    def forget(self, identifier: Identifier) -> None:
        """Let nobody have the events that wait for `identifier`."""
        self._waiting.pop(identifier, None)

    def _forget_oldest_id(self) -> None:
        self._ids.remove(self._ids_by_age.popleft())
        self._times.popleft()


def _counter(operation: Operation, owner: Owner) -> str:
    if operation.kind == "anonymous":
        return "anonymous"
    return "held" if isinstance(owner, Identifier) else "person"
