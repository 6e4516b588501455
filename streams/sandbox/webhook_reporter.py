"""Turns what happens in a sandbox into webhooks, each in its time: messages by their fate, people by what they change.

It knows neither HTTP nor the clock; what is due goes to the line.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any, Final, NamedTuple

import orjson

from agents.steps.fingerprint import FINGERPRINT_BYTES, ulid_of
from streams.sandbox.outbox import Delivery
from streams.sandbox.person import PREFERENCES, Person
from streams.sandbox.switch import Switch
from streams.sandbox.templates import Templates, find_template
from streams.sandbox.webhook_bodies import (
    CUSTOMER,
    PREFERENCES_CHANGED,
    Reported,
    customer_data,
    identifiers_of,
    message_data,
    report_on,
)
from streams.sandbox.webhook_fate import Step, draw_fate
from streams.sandbox.webhook_line import Line, Webhook
from streams.sandbox.webhook_options import WebhookOptions
from streams.sandbox.world import World

STEPS_MAX: Final = 100_000
"""So many things may be still to happen; what a further message would go through is left out, and counted."""

TOPIC: Final = "topic_1"
RANDOM_BITS: Final = 80
"""Of a ULID, after its milliseconds."""


class Due(NamedTuple):
    """Something that is to happen; without a metric of a message, the person subscribes again."""

    at: float
    number: int
    person: Person
    message: Reported | None
    step: Step | None
    seed: str
    """Of what chance has a part in then; a generator of its own for each would be 2,500 bytes."""


class Reporter:
    """Listens to a world and its outbox, and fills a line; does nothing while the options name no receiver."""

    def __init__(
        self,
        world: World,
        *,
        options: Switch[WebhookOptions],
        templates: Switch[Templates],
        line: Line,
        steps_max: int = STEPS_MAX,
    ) -> None:
        self.made: Counter[str] = Counter()
        """Webhooks by what they are about and what happened, repeats not among them; exact."""

        self.repeated = 0
        self.left_out = 0
        self._world = world
        self._options = options
        self._templates = templates
        self._line = line
        self._steps_max = steps_max
        self._numbers = itertools.count(1)
        self._to_come: list[Due] = []

    @property
    def to_come(self) -> int:
        """How many things are still to happen."""
        return len(self._to_come)

    def take_message(self, delivery: Delivery) -> None:
        """Draw what a message will go through."""
        options = self._options.value
        person = None if delivery.identifier is None else self._world.people.find(delivery.identifier)
        if options.url is None or person is None:
            return
        at = max(delivery.queued_at, float(delivery.send_at or 0))
        seed = f"{options.seed} {delivery.delivery_id}"
        chance = _chance(seed)
        has_topic = delivery.campaign is not None or delivery.broadcast is not None
        fate = draw_fate(delivery.channel, delivery.status, options, chance, has_topic=has_topic)
        journey_id = _ulid(chance, at=at)
        template_id = self._template_id(delivery)
        message = report_on(delivery, person, template_id=template_id, journey_id=journey_id)
        for place, step in enumerate(fate):
            at += step.after_s
            self._plan(Due(at, next(self._numbers), person, message, step, f"{seed} {place}"))

    def take_subscription(self, person: Person, *, now: float) -> None:
        """Report a person who has unsubscribed, or subscribed again."""
        options = self._options.value
        if options.url is None:
            return
        metric = "unsubscribed" if person.is_unsubscribed else "subscribed"
        chance = _chance(f"{options.seed} {metric} {person.cio_id} {now}")
        self._report(CUSTOMER, metric, customer_data(identifiers_of(person), {}), at=now, chance=chance)

    def settle(self, *, now: float) -> None:
        """Let happen what is due by now."""
        while self._to_come and self._to_come[0].at <= now:
            self._happen(heapq.heappop(self._to_come))

    def _plan(self, due: Due) -> None:
        if len(self._to_come) < self._steps_max:
            heapq.heappush(self._to_come, due)
        else:
            self.left_out += 1

    def _happen(self, due: Due) -> None:
        chance = _chance(due.seed)
        if due.message is None or due.step is None:
            self._world.change(due.person, {"unsubscribed": False}, now=due.at)
        elif due.step.metric == "preferences_changed":
            self._leave_topic(due, due.message, chance)
        else:
            data = message_data(due.message, due.step.metric, due.step.extra)
            self._report(due.message.channel, due.step.metric, data, at=due.at, chance=chance)
            if due.step.metric == "unsubscribed":
                self._unsubscribe(due, chance)

    def _unsubscribe(self, due: Due, chance: Random) -> None:
        self._world.change(due.person, {"unsubscribed": True}, now=due.at)
        options = self._options.value
        if chance.random() < options.resubscribed:
            wait_s = chance.uniform(0, 2 * options.step_s)
            self._plan(Due(due.at + wait_s, next(self._numbers), due.person, None, None, due.seed))

    def _leave_topic(self, due: Due, message: Reported, chance: Random) -> None:
        self._world.change(due.person, {f"{PREFERENCES}.topics.{TOPIC}": False}, now=due.at)
        content = orjson.dumps({"topics": {TOPIC: False}}).decode()
        extra = {"content": content, "delivery_id": message.delivery_id, **message.parent}
        data = customer_data(message.identifiers, extra)
        self._report(CUSTOMER, PREFERENCES_CHANGED, data, at=due.at, chance=chance)

    def _report(self, about: str, metric: str, data: Mapping[str, Any], *, at: float, chance: Random) -> None:
        event_id = _ulid(chance, at=at)
        told = {"event_id": event_id, "object_type": about, "metric": metric, "timestamp": int(at), "data": data}
        body = orjson.dumps(told)
        self.made[f"{about}_{metric}"] += 1
        self._line.put(Webhook(event_id=event_id, object_type=about, metric=metric, body=body))
        if chance.random() < self._options.value.repeated:
            self.repeated += 1
            self._line.put(Webhook(event_id=event_id, object_type=about, metric=metric, body=body))

    def _template_id(self, delivery: Delivery) -> int | str | None:
        if not isinstance(delivery.template, str):
            return delivery.template
        template = find_template(self._templates.value.transactional, delivery.template)
        return delivery.template if template is None else template.id


def _chance(seed: str) -> Random:
    return Random(seed)  # noqa: S311 - repeatable is what it has to be, not unpredictable


def _ulid(chance: Random, *, at: float) -> str:
    number = (int(at * 1000) << RANDOM_BITS) | chance.getrandbits(RANDOM_BITS)
    return ulid_of(number.to_bytes(FINGERPRINT_BYTES, "big"))
