"""The workspace that a sandbox keeps: people, events, suppressions. Applies valid operations in the order it is told.

It knows neither HTTP nor the clock; what an operation did not change, and why, is in the chronicle.
"""

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from streams.sandbox.chronicle import Chronicle
from streams.sandbox.identify import identify
from streams.sandbox.operation import EVENT_ACTIONS, Identifier, Operation
from streams.sandbox.options import SandboxOptions
from streams.sandbox.people import People
from streams.sandbox.person import Person

EVENTS_MAX: Final = 100_000
"""The newest events that are kept with their content; the counters stay exact."""

EVENT_IDS_MAX: Final = 1_000_000
"""The newest ULIDs by which a repeat is recognised."""

ANONYMOUS_MAX: Final = 100_000
"""The anonymous ids remembered as belonging to a person, newest last."""


@dataclass(slots=True, kw_only=True, eq=False)
class Event:
    """An event in somebody's history: a person's, or an anonymous id's until the person is known."""

    owner: Person | str
    operation: Operation
    received_at: float


class World:
    """Everything that the sandbox remembers. One thread, one operation after the other."""

    def __init__(self, *, options: SandboxOptions, events_max: int = EVENTS_MAX, ids_max: int = EVENT_IDS_MAX) -> None:
        self._options = options
        self._ids_max = ids_max
        self._event_ids: set[str] = set()
        self._event_ids_by_age: deque[str] = deque()
        self._anonymous: OrderedDict[str, Person] = OrderedDict()
        self._events: deque[Event] = deque(maxlen=events_max)
        self.people = People()
        self.events: Counter[str] = Counter()
        self.chronicle = Chronicle(keep_log=options.keep_log)

    def apply(self, operation: Operation, *, now: float) -> str | None:
        """Carry out `operation`; the answer says why it had no effect, or is None. Either way it was accepted."""
        why = self._apply(operation, now=now)
        self.chronicle.note(operation, why=why, now=now)
        return why

    def events_of(self, person: Person) -> list[Event]:
        """Return a person's events, of those that are still kept, in the order of arrival."""
        return [event for event in self._events if event.owner is person]

    def _apply(self, operation: Operation, *, now: float) -> str | None:
        if operation.kind == "anonymous":
            return self._anonymous_event(operation, now=now)
        if operation.kind == "person":
            return self._act_on_person(operation, now=now)
        return None  # objects and deliveries are accepted and logged, they have no state here

    def _act_on_person(self, operation: Operation, *, now: float) -> str | None:
        if operation.action == "unsuppress":
            return None if self.people.unsuppress(operation.identifier) else "not_suppressed"
        if self.people.is_suppressed(operation.identifier):
            return "suppressed"
        if operation.action == "identify":
            return self._identify(operation, now=now)
        if operation.action in EVENT_ACTIONS:
            return self._event(operation, now=now)
        return self._change(operation, now=int(now))

    def _change(self, operation: Operation, *, now: int) -> str | None:
        match operation.action:
            case "suppress":
                return None if self.people.suppress(operation.identifier) else "unknown_person"
            case "delete":
                return self._delete(operation.identifier)
            case "merge":
                return self._merge(operation)
            case "add_device" | "delete_device":
                return self._device(operation, now=now)
            case _:
                return None  # relationships are accepted and logged, they have no state here

    def _identify(self, operation: Operation, *, now: float) -> str | None:
        by_id = self._options.updates_email_by_id
        why = identify(self.people, operation, now=int(now), updates_email_by_id=by_id)
        anonymous_id = operation.attributes.get("anonymous_id")
        person = self.people.find(operation.identifier)
        if why is None and person is not None and isinstance(anonymous_id, str) and anonymous_id:
            self._join(anonymous_id, person)
        return why

    def _join(self, anonymous_id: str, person: Person) -> None:
        if anonymous_id in self._anonymous:
            return  # an anonymous id is not reusable
        self._anonymous[anonymous_id] = person
        if len(self._anonymous) > ANONYMOUS_MAX:
            self._anonymous.popitem(last=False)
        for event in self._events:
            if event.owner == anonymous_id:
                event.owner = person

    def _delete(self, identifier: Identifier) -> str | None:
        person = self.people.find(identifier)
        if person is None:
            return "unknown_person"
        self.people.remove(person)
        return None

    def _event(self, operation: Operation, *, now: float) -> str | None:
        if operation.event_id in self._event_ids:
            return "repeated"
        identifier = operation.identifier
        can_create = self._options.creates_on_event and identifier.kind != "cio_id"
        person = self.people.find(identifier)
        if person is None and not can_create:
            return "unknown_person"
        self._keep(operation, owner=person or self._create(identifier, now=int(now)), now=now)
        return None

    def _anonymous_event(self, operation: Operation, *, now: float) -> str | None:
        if operation.event_id in self._event_ids:
            return "repeated"
        anonymous_id = operation.identifier.value
        self._keep(operation, owner=self._anonymous.get(anonymous_id, anonymous_id), now=now)
        return None

    def _keep(self, operation: Operation, *, owner: Person | str, now: float) -> None:
        if operation.event_id is not None:
            self._event_ids.add(operation.event_id)
            self._event_ids_by_age.append(operation.event_id)
            if len(self._event_ids) > self._ids_max:
                self._event_ids.remove(self._event_ids_by_age.popleft())
        self.events["anonymous" if operation.kind == "anonymous" else "person"] += 1
        self._events.append(Event(owner=owner, operation=operation, received_at=now))

    def _device(self, operation: Operation, *, now: int) -> str | None:
        person = self.people.find(operation.identifier)
        device = operation.device or {}
        if operation.action == "delete_device":
            is_known = person is not None and person.devices.pop(device["token"], None) is not None
            return None if is_known else "unknown_device"
        if person is None and operation.identifier.kind == "cio_id":
            return "unknown_person"
        person = person or self._create(operation.identifier, now=now)
        person.add_device(device)
        return None

    def _create(self, identifier: Identifier, *, now: int) -> Person:
        person = self.people.create(now=now)
        self.people.name(person, identifier)
        return person

    def _merge(self, operation: Operation) -> str | None:
        primary = self.people.find(operation.identifier)
        secondary = self.people.find(operation.secondary) if operation.secondary is not None else None
        if primary is None or secondary is None or primary is secondary:
            return "unknown_person"
        identifiers = dict(secondary.identifiers)
        self.people.remove(secondary)
        for kind in identifiers.keys() - primary.identifiers.keys():
            self.people.name(primary, Identifier(kind, identifiers[kind]))
        primary.absorb(secondary)
        for event in self._events:
            if event.owner is secondary:
                event.owner = primary
        return None
