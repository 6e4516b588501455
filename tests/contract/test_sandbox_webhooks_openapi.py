"""Every webhook that the sandbox can send, held against the official description."""

import itertools
from typing import Any

from streams.sandbox.message import CHANNELS
from streams.sandbox.operation import Identifier, Operation
from tests.unit.webhook_world import NOW, WebhookWorld
from tests.webhook_judge import faults

COMMON = {"drafted", "undeliverable", "sent", "clicked", "converted"}
EXPECTED = {
    "customer": {"subscribed", "unsubscribed", "cio_subscription_preferences_changed"},
    "email": COMMON | {"delivered", "bounced", "opened", "spammed", "unsubscribed"},
    "push": COMMON | {"delivered", "bounced", "opened"},
    "sms": COMMON | {"delivered", "bounced"},
    "in_app": COMMON | {"opened"},
}
PHONE = {"token": "t-1", "platform": "ios", "last_used": 1}
OTHER = {"token": "t-2"}
BOB = Operation(kind="person", action="identify", identifier=Identifier("email", "bob@example.com"))
"""Has no id."""


def run(*, is_known: bool, seed: int) -> list[dict[str, Any]]:
    """Send everything to a person of whom all is known, or next to nothing, and give all webhooks."""
    world = WebhookWorld(seed=seed, bounced=0.2, spammed=0.2, unsubscribed=0.5, resubscribed=1, preferences_changed=0.5)
    for device in (PHONE, OTHER) if is_known else ():
        world.act("add_device", device=device)
    world.identify(**({"email": "ada@example.com", "phone": "+12025550101"} if is_known else {"city": "London"}))
    for channel, is_draft in itertools.product(CHANNELS, (False, True)):
        world.send(channel, is_draft=is_draft)
    world.send(template=None)
    world.world.apply(BOB, now=NOW)
    for broadcast in (12, 13, 14):
        world.broadcast(broadcast)
    world.happen()
    world.identify(unsubscribed=True)
    world.happen(event_id=None)
    world.send(to=(), sends_to_unsubscribed=False)
    world.identify(unsubscribed=False)
    return world.bodies(now=NOW + 10_000)


def test_every_webhook_is_as_described() -> None:
    """All channels, all that can make a message, all that can become of one, with much and with little known."""
    bodies = [body for seed in range(20) for is_known in (True, False) for body in run(is_known=is_known, seed=seed)]
    told: dict[str, set[str]] = {}
    for body in bodies:
        told.setdefault(body["object_type"], set()).add(body["metric"])

    assert told == EXPECTED
    assert {str(body): faults(body) for body in bodies if faults(body)} == {}


def test_the_judge_judges() -> None:
    """A judge that found nothing wrong would prove nothing."""
    sent = next(each for each in run(is_known=True, seed=1) if each["object_type"] == "email")
    data = sent["data"]

    assert faults([]) != []
    assert faults(sent | {"metric": "sung"}) != []
    assert faults(sent | {"timestamp": "now"}) != []
    assert faults(sent | {"data": data | {"recipent": "x"}}) == ["recipent: there is no such field"]
    assert faults(sent | {"data": {name: data[name] for name in data if name != "delivery_id"}}) != []
    assert faults(sent | {"data": data | {"identifiers": {"id": 5}}}) != []
