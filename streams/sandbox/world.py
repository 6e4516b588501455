"""The workspace that a sandbox keeps: people, their events, suppressions. Applies operations, at once or in their time.

It knows neither HTTP nor the clock; what an operation did not change, and why, is in the chronicle.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from streams.sandbox.backlog import Backlog
from streams.sandbox.chronicle import Chronicle, Entry
from streams.sandbox.history import Event, History, Owner
from streams.sandbox.identify import identify
from streams.sandbox.operation import EVENT_ACTIONS, Identifier, Operation, Refusal
from streams.sandbox.options import SandboxOptions
from streams.sandbox.outbox import Outbox
from streams.sandbox.people import People, normal
from streams.sandbox.person import Person


class EventListener(Protocol):
    """Is told of each event that a person has got."""

    def __call__(self, person: Person, event: Operation, *, now: float) -> None:
        """Take it."""


class SubscriptionListener(Protocol):
    """Is told of each person who has unsubscribed, or subscribed again."""

    def __call__(self, person: Person, *, now: float) -> None:
        """Take it."""


class World:
    """Everything that the sandbox remembers. One thread, one operation after the other."""

    def __init__(self, *, options: SandboxOptions) -> None:
        self._options = options
        self._backlog = Backlog(options)
        self._history = History(window_s=options.dedupe_window_s)
        self.people = People()
        self.outbox = Outbox()
        self.chronicle = Chronicle(keep_log=options.keep_log)
        self.event_listeners: list[EventListener] = []
        self.subscription_listeners: list[SubscriptionListener] = []

    @property
    def events(self) -> Counter[str]:
        """How many events were kept: of a person, of an anonymous id, or held for somebody unknown."""
        return self._history.counts

    @property
    def pending(self) -> int:
        """How many operations are accepted and not applied yet."""
        return len(self._backlog)

    def events_of(self, person: Person) -> list[Event]:
        """Return a person's events, of those that are still kept, in the order in which they were applied."""
        return self._history.of(person)

    def refusal_of(self, operation: Operation) -> Refusal | None:
        """Return why a valid operation is not accepted, as things are now; None when it is."""
        is_refused = self._options.refuses_suppressed and operation.action != "unsuppress"
        if is_refused and self.people.is_suppressed(operation.identifier):
            return Refusal(field="identifiers", message="identifier is suppressed")
        return None

    def apply(self, operation: Operation, *, now: float) -> str | None:
        """Accept `operation` and carry it out, now or in its time; the answer says why it had no effect, or is None."""
        entry = self.chronicle.accept(operation, now=now)
        if not self._backlog.is_used:
            return self._conclude(entry, now=now)
        self._backlog.put(entry, now=now)
        self.settle(now=now)
        return None

    def find_or_create(self, identifier: Identifier, *, now: int) -> Person | None:
        """Return who has `identifier`, a new person if need be; nobody where it is suppressed, or unknown for good."""
        person = self.people.find(identifier)
        if person is not None or identifier.kind == "cio_id" or self.people.is_suppressed(identifier):
            return person
        return self._create(identifier, now=now)

    def change(self, person: Person, attributes: Mapping[str, Any], *, now: float) -> None:
        """Carry out what a person has changed at Customer.io itself; nothing, where the person is gone."""
        if self.people.find(Identifier("cio_id", person.cio_id)) is person:
            was_unsubscribed = person.is_unsubscribed
            person.update(attributes, timestamp=None, now=int(now))
            self._tell_subscription(person, was_unsubscribed=was_unsubscribed, now=now)

    def settle(self, *, now: float) -> None:
        """Carry out what is due by now."""
        for entry, due_at in self._backlog.due(now):
            self._conclude(entry, now=due_at)

    def _conclude(self, entry: Entry, *, now: float) -> str | None:
        why = self._carry_out(entry, now=now)
        self.chronicle.conclude(entry, why=why)
        return why

    def _carry_out(self, entry: Entry, *, now: float) -> str | None:
        operation = entry.operation
        if operation.kind not in {"person", "anonymous"}:
            return None  # objects and deliveries are accepted and logged, they have no state here
        if operation.action == "unsuppress":
            return None if self.people.unsuppress(operation.identifier) else "not_suppressed"
        if self.people.is_suppressed(operation.identifier):
            return "suppressed"
        if operation.action in EVENT_ACTIONS:
            return self._event(entry, now=now)
        return self._change(operation, now=int(now))

    def _change(self, operation: Operation, *, now: int) -> str | None:
        match operation.action:
            case "identify":
                return self._identify(operation, now=now)
            case "suppress" | "delete":
                return self._remove(operation)
            case "merge":
                return self._merge(operation, now=now)
            case "add_device" | "delete_device":
                return self._device(operation, now=now)
            case "add_customers" | "remove_customers":
                return self._segment(operation)
            case _:
                return None  # relationships are accepted and logged, they have no state here

    def _identify(self, operation: Operation, *, now: int) -> str | None:
        known = self.people.find(operation.identifier)
        was_unsubscribed = known is not None and known.is_unsubscribed
        by_id = self._options.updates_email_by_id
        why = identify(self.people, operation, now=now, updates_email_by_id=by_id)
        person = self.people.find(operation.identifier)
        if why is not None or person is None:
            return why
        self._adopt(person)
        anonymous_id = operation.attributes.get("anonymous_id")
        if isinstance(anonymous_id, str) and anonymous_id:
            self._history.join(Identifier("anonymous_id", anonymous_id), person=person, now=now)
        self._tell_subscription(person, was_unsubscribed=was_unsubscribed, now=now)
        return None

    def _tell_subscription(self, person: Person, *, was_unsubscribed: bool, now: float) -> None:
        if person.is_unsubscribed != was_unsubscribed:
            for listener in self.subscription_listeners:
                listener(person, now=now)

    def _adopt(self, person: Person) -> None:
        for kind, value in person.identifiers.items():
            self._history.adopt(Identifier(kind, value), person=person)

    def _remove(self, operation: Operation) -> str | None:
        identifier = operation.identifier
        if operation.action == "suppress":
            self._history.forget(normal(identifier))
            return None if self.people.suppress(identifier) else "unknown_person"
        person = self.people.find(identifier)
        if person is None:
            return "unknown_person"
        self.people.remove(person)
        return None

    def _event(self, entry: Entry, *, now: float) -> str | None:
        if self._history.is_repeat(entry.operation.event_id, now=now):
            return "repeated"
        owner, why = self._owner(entry.operation, now=int(now))
        if owner is not None:
            self._history.keep(entry.operation, owner=owner, received_at=entry.received_at, now=now)
        if isinstance(owner, Person):
            for listener in self.event_listeners:
                listener(owner, entry.operation, now=now)
        return why

    def _owner(self, operation: Operation, *, now: int) -> tuple[Owner | None, str | None]:
        identifier = operation.identifier
        if operation.kind == "anonymous":
            return self._history.owner_of(identifier), None
        person = self.people.find(identifier)
        if person is not None:
            return person, None
        policy = self._options.event_for_nobody
        if policy == "drop" or identifier.kind == "cio_id":
            return None, "unknown_person"
        if policy == "hold":
            return normal(identifier), "held"
        return self._create(identifier, now=now), None

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

    def _segment(self, operation: Operation) -> str | None:
        person = self.people.find(operation.identifier)
        if person is None or operation.segment is None:
            return "unknown_person"
        others = person.segments - {operation.segment}
        person.segments = others | {operation.segment} if operation.action == "add_customers" else others
        return None

    def _create(self, identifier: Identifier, *, now: int) -> Person:
        person = self.people.create(now=now)
        self.people.name(person, identifier)
        self._adopt(person)
        return person

    def _merge(self, operation: Operation, *, now: int) -> str | None:
        primary = self.people.find(operation.identifier)
        secondary = self.people.find(operation.secondary) if operation.secondary is not None else None
        if primary is None or secondary is None or primary is secondary:
            return "unknown_person"
        identifiers = dict(secondary.identifiers)
        self.people.remove(secondary)
        for kind in identifiers.keys() - primary.identifiers.keys():
            self.people.name(primary, Identifier(kind, identifiers[kind]))
        primary.absorb(secondary)
        self._history.hand_over(secondary, taker=primary, now=now)
        return None
