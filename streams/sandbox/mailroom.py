"""Carries out what the App API accepted: finds or creates the person, fills the template, puts it into the outbox.

It knows neither HTTP nor the clock. Nothing leaves it: whatever is sent lies in the outbox, and so does what is not.
"""

import heapq
from collections.abc import Mapping
from typing import Any, Final

from streams.sandbox.audience import find_audience
from streams.sandbox.message import Message, Trigger
from streams.sandbox.operation import Identifier, RefusedError
from streams.sandbox.options import SandboxOptions
from streams.sandbox.outbox import Delivery, Status
from streams.sandbox.person import Person
from streams.sandbox.rendering import fill_in, fill_in_broadcast, identifier_of
from streams.sandbox.switch import Switch
from streams.sandbox.templates import TEMPLATES_MAX, Template, Templates, find_template
from streams.sandbox.triggers import Triggered, Triggers
from streams.sandbox.world import World

RENDERED_MAX: Final = 10_000
"""So many messages of one trigger are put into the outbox; a filter may mean more people."""

SCHEDULED_MAX: Final = 100_000
"""Beyond it the next one is sent at once."""

NO_TEMPLATE: Final = Template(id=1)


class Mailroom:
    """One per sandbox."""

    def __init__(self, world: World, *, templates: Switch[Templates], options: SandboxOptions) -> None:
        self._world = world
        self._templates = templates
        self._options = options
        self._scheduled: list[tuple[int, int, Message, Template, Delivery]] = []
        self.triggers = Triggers()

    def send(self, message: Message, *, now: float) -> Delivery:
        """Send a message now, or in its time.

        Raises:
            RefusedError: Its template does not exist, or it is to somebody suppressed and that is refused.
        """
        template = self._template_of(message)
        people = self._world.people
        if self._options.refuses_suppressed and people.is_suppressed(message.identifier):
            raise RefusedError("identifiers", "are suppressed")
        delivery = Delivery(
            seq=self._world.outbox.next_seq(),
            queued_at=now,
            channel=message.channel,
            identifier=message.identifier,
            template=message.template,
            send_at=message.send_at,
            cc=message.cc,
            bcc=message.bcc,
            data=message.data,
            attachments=message.attachments,
        )
        person = self._world.find_or_create(message.identifier, now=int(now))
        fill_in(delivery, message, template=template, person=person)
        delivery.status = self._status(message, person, delivery=delivery)
        if message.send_at is not None and delivery.status == "sent":
            delivery.status = "scheduled"
            heapq.heappush(self._scheduled, (message.send_at, delivery.seq, message, template, delivery))
        self._world.outbox.put(delivery)
        return delivery

    def settle(self, *, now: float) -> None:
        """Send what is due by now, to the person as the person is now."""
        while self._scheduled and (self._scheduled[0][0] <= now or len(self._scheduled) > SCHEDULED_MAX):
            _, _, message, template, delivery = heapq.heappop(self._scheduled)
            person = self._world.people.find(message.identifier)
            fill_in(delivery, message, template=template, person=person)
            self._world.outbox.end(delivery, self._status(message, person, delivery=delivery))

    def trigger(self, broadcast: int, trigger: Trigger, *, now: float) -> Triggered:
        """Send a broadcast to its audience, or to nobody where somebody is missing; `errors` says who.

        Raises:
            RefusedError: There is no such broadcast.
        """
        template = self.broadcast(broadcast)
        audience = find_audience(self._world.people, trigger)
        triggered = self.triggers.add(broadcast, errors=audience.missing, now=now)
        if audience.missing:
            return triggered
        if trigger.form == "data_file_url":
            self._put(triggered, template, status="not_fetched", now=now)
        for person, data in audience.people[:RENDERED_MAX]:
            self._put(triggered, template, person=person, data={**trigger.data, **data}, now=now)
        for identifier in audience.suppressed[:RENDERED_MAX]:
            self._put(triggered, template, status="suppressed", identifier=identifier, now=now)
        return triggered

    def broadcast(self, broadcast: int) -> Template:
        """Return a broadcast, which exists when none is told of.

        Raises:
            RefusedError: There is no such broadcast.
        """
        told = self._templates.value.broadcasts
        template = find_template(told, broadcast) if told else NO_TEMPLATE
        if template is None:
            raise RefusedError("", "no such broadcast", status=404)
        return template

    def _template_of(self, message: Message) -> Template:
        told, wanted = self._templates.value.transactional, message.template
        if not told or wanted is None:
            return NO_TEMPLATE
        template = find_template(told, wanted)
        if template is None and isinstance(wanted, str) and message.creates_template and len(told) < TEMPLATES_MAX:
            number = max(each.id for each in told) + 1
            template = Template(id=number, name=wanted, channel=message.channel)
            self._templates.change({"transactional": [*told, template]})
        if template is None:
            status = self._options.unknown_template_status
            raise RefusedError("transactional_message_id", "is not that of a transactional message", status=status)
        if template.channel != message.channel:
            raise RefusedError("transactional_message_id", f"is that of a message for {template.channel}")
        return template

    def _status(self, message: Message, person: Person | None, *, delivery: Delivery) -> Status:
        if self._world.people.is_suppressed(message.identifier):
            return "suppressed"
        if person is None:
            return "unknown_person"
        if message.is_draft:
            return "draft"
        if not message.sends_to_unsubscribed and person.is_unsubscribed:
            return "unsubscribed"
        return "sent" if delivery.to else "no_address"

    def _put(
        self,
        triggered: Triggered,
        template: Template,
        *,
        person: Person | None = None,
        identifier: Identifier | None = None,
        data: Mapping[str, Any] | None = None,
        status: Status = "sent",
        now: float,
    ) -> None:
        delivery = Delivery(
            seq=self._world.outbox.next_seq(),
            queued_at=now,
            channel=template.channel,
            identifier=identifier if person is None else identifier_of(person),
            status=status,
            broadcast=triggered.broadcast,
            trigger=triggered.id,
            data=data or {},
        )
        if person is not None:
            fill_in_broadcast(delivery, template, person=person)
            if person.is_unsubscribed:
                delivery.status = "unsubscribed"
            elif not delivery.to:
                delivery.status = "no_address"
        self._world.outbox.put(delivery)
