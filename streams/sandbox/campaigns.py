"""Sends what campaigns send: for each event that one of them waits for, a message to the event's person."""

from typing import Final

from streams.sandbox.operation import Operation
from streams.sandbox.outbox import Delivery
from streams.sandbox.person import Person
from streams.sandbox.rendering import fill_in_campaign, identifier_of
from streams.sandbox.switch import Switch
from streams.sandbox.templates import Campaign, Templates
from streams.sandbox.world import World

EVENT_AGE_S_MAX: Final = 72 * 3_600
"""An older event is history only: it triggers nothing."""


class Campaigns:
    """Listens to a world's events; which campaigns there are, the templates say."""

    def __init__(self, world: World, *, templates: Switch[Templates]) -> None:
        self._world = world
        self._templates = templates

    def take_event(self, person: Person, event: Operation, *, now: float) -> None:
        """Put the messages that this event triggers into the outbox."""
        happened_at = now if event.timestamp is None else event.timestamp
        if event.action != "event" or happened_at < now - EVENT_AGE_S_MAX:
            return
        for campaign in self._templates.value.campaigns:
            if campaign.event == event.name:
                self._send(campaign, person, event, now=now)

    def _send(self, campaign: Campaign, person: Person, event: Operation, *, now: float) -> None:
        delivery = Delivery(
            seq=self._world.outbox.next_seq(),
            queued_at=now,
            channel=campaign.channel,
            identifier=identifier_of(person),
            campaign=campaign.id,
            trigger_event_id=event.event_id,
            data=event.attributes,
        )
        fill_in_campaign(delivery, campaign, person=person)
        if person.is_unsubscribed:
            delivery.status = "unsubscribed"
        elif not delivery.to:
            delivery.status = "no_address"
        self._world.outbox.put(delivery)
