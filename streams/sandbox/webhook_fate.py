"""Decides what a message goes through after it was sent, by chances that are drawn; pure, chance is passed in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Literal, TypeAlias

from streams.sandbox.message import Channel
from streams.sandbox.outbox import Status
from streams.sandbox.webhook_bodies import SYNTHETIC
from streams.sandbox.webhook_options import WebhookOptions

Metric: TypeAlias = Literal[
    "drafted",
    "undeliverable",
    "sent",
    "bounced",
    "delivered",
    "spammed",
    "opened",
    "clicked",
    "converted",
    "unsubscribed",
    "preferences_changed",
]

SAYS_DELIVERED: Final[frozenset[Channel]] = frozenset({"email", "push", "sms"})
SAYS_OPENED: Final[frozenset[Channel]] = frozenset({"email", "push", "in_app"})
LINKS: Final = 3
LINK: Final = "https://shop.example/offers/{}"
NO_SUCH_BOX: Final = "550 5.1.1 The account does not exist"
UNREACHED: Final[Mapping[Status, str]] = {
    "unsubscribed": "The person has unsubscribed",
    "no_address": "The person has no address of this kind",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happens to a message, so long after the step before; `extra` is what is said about it."""

    metric: Metric
    after_s: float
    extra: Mapping[str, Any] = field(default_factory=dict)


def draw_fate(
    channel: Channel, status: Status, options: WebhookOptions, chance: Random, *, has_topic: bool
) -> list[Step]:
    """Return everything that will happen to a message, in its order; `has_topic` where one can leave its topic."""
    match status:
        case "sent":
            return list(_life(channel, options, chance, has_topic=has_topic))
        case "draft":
            return [_step("drafted", options, chance)]
        case "unsubscribed" | "no_address":
            return [_step("undeliverable", options, chance, failure_message=UNREACHED[status])]
        case _:
            return []  # of the others nobody is told: there is no person, or it is not their time yet


def _life(channel: Channel, options: WebhookOptions, chance: Random, *, has_topic: bool) -> Iterator[Step]:
    yield _step("sent", options, chance)
    if channel in SAYS_DELIVERED:
        if chance.random() < options.bounced:
            yield _step("bounced", options, chance, failure_message=NO_SUCH_BOX)
            return
        if chance.random() >= options.delivered:
            return
        yield _step("delivered", options, chance)
    if channel == "email" and chance.random() < options.spammed:
        yield _step("spammed", options, chance)
        return
    yield from _attention(channel, options, chance)
    if channel == "email":
        yield from _leaving(options, chance, has_topic=has_topic)


def _attention(channel: Channel, options: WebhookOptions, chance: Random) -> Iterator[Step]:
    if chance.random() >= options.opened:
        return
    if channel in SAYS_OPENED:
        yield _step("opened", options, chance, **(SYNTHETIC if channel == "email" else {}))
    if chance.random() >= options.clicked:
        return
    link = chance.randint(1, LINKS)
    machine = {"machine": False} if channel == "email" else {}
    yield _step("clicked", options, chance, href=LINK.format(link), link_id=link, **machine)
    if chance.random() < options.converted:
        yield _step("converted", options, chance)


def _leaving(options: WebhookOptions, chance: Random, *, has_topic: bool) -> Iterator[Step]:
    if chance.random() < options.unsubscribed:
        yield _step("unsubscribed", options, chance)
    elif has_topic and chance.random() < options.preferences_changed:
        yield _step("preferences_changed", options, chance)


def _step(metric: Metric, options: WebhookOptions, chance: Random, **extra: object) -> Step:
    return Step(metric=metric, after_s=chance.uniform(0, 2 * options.step_s), extra=extra)
