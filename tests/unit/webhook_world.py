"""A sandbox's reporting without a network: what happens there becomes webhooks, at times that a test sets."""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from streams.sandbox.campaigns import Campaigns
from streams.sandbox.mailroom import Mailroom
from streams.sandbox.message import CHANNELS, Channel, Message, Trigger
from streams.sandbox.operation import Identifier, Operation
from streams.sandbox.options import SandboxOptions
from streams.sandbox.switch import Switch
from streams.sandbox.templates import Campaign, Template, Templates
from streams.sandbox.webhook_options import WebhookOptions
from streams.sandbox.webhooks import Webhooks
from streams.sandbox.world import World

NOW: Final = 1_700_000_000.5
ULID: Final = "01HF7YAT00ABCDEFGHJKMNPQRS"
ADA: Final = Identifier("id", "u-1")
TEMPLATES: Final = Templates(
    transactional=tuple(
        Template(id=number, name=channel, channel=channel, subject="Hello")
        for number, channel in enumerate(CHANNELS, 1)
    ),
    broadcasts=(Template(id=12, subject="Sale"), Template(id=13, channel="push"), Template(id=14, channel="sms")),
    campaigns=(
        Campaign(id=21, event="sale", subject="Thank you for {{event.product}}, {{customer.first_name}}"),
        Campaign(id=22, event="sale", channel="in_app", subject="Look"),
    ),
)
CERTAIN: Final = {"bounced": 0, "delivered": 1, "opened": 1, "clicked": 1, "converted": 1, "spammed": 0, "repeated": 0}
"""Everything that is good happens to every message, and once."""

QUIET: Final = dict.fromkeys(["unsubscribed", "resubscribed", "preferences_changed"], 0)


class WebhookWorld:
    """A world, its mailroom and its webhooks."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - options' own
        chosen = SandboxOptions()
        templates = Switch(TEMPLATES)
        self.world = World(options=chosen)
        self.mailroom = Mailroom(self.world, templates=templates, options=chosen)
        given: dict[str, Any] = {"url": "http://127.0.0.1:9/"}
        self.webhooks = Webhooks(
            self.world, options=WebhookOptions(**(given | CERTAIN | QUIET | options)), templates=templates
        )
        self.world.event_listeners.append(Campaigns(self.world, templates=templates).take_event)

    def act(self, action: str, *, now: float = NOW, **more: Any) -> None:  # noqa: ANN401 - an operation's own
        """Carry out an operation on Ada."""
        self.world.apply(Operation(kind="person", action=action, identifier=ADA, **more), now=now)

    def identify(self, **attributes: object) -> None:
        """Have Ada, with these attributes."""
        self.act("identify", attributes=attributes)

    def happen(self, *, now: float = NOW, **more: Any) -> None:  # noqa: ANN401 - as above
        """Let the event happen that the campaigns wait for."""
        event: dict[str, Any] = {"name": "sale", "event_id": ULID, "attributes": {"product": "a lamp"}}
        self.act("event", now=now, **(event | more))

    def send(self, channel: Channel = "email", **more: Any) -> None:  # noqa: ANN401 - a message's own
        """Send Ada a message."""
        to = {"email": ("ada@example.com",), "push": ("all",), "sms": ("+12025550101",), "in_app": ()}[channel]
        message: dict[str, Any] = {"identifier": ADA, "template": channel, "to": to}
        self.mailroom.send(Message(channel=channel, **(message | more)), now=NOW)

    def broadcast(self, broadcast: int = 12) -> None:
        """Send everybody a broadcast."""
        self.mailroom.trigger(broadcast, Trigger(), now=NOW)

    def bodies(self, *, now: float = NOW + 1_000) -> list[dict[str, Any]]:
        """Take every webhook that is there by then out of the line."""
        return [orjson.loads(body) for body in self.raw(now=now)]

    def raw(self, *, now: float = NOW + 1_000) -> list[bytes]:
        """The same as bytes."""
        self.webhooks.settle(now=now)
        return list(self._take(now))

    def _take(self, now: float) -> Iterator[bytes]:
        line, options = self.webhooks.line, self.webhooks.options.value
        while (webhook := line.due(now)) is not None:
            line.sign(webhook, options, now=now)
            line.conclude("200", options, now=now)
            yield webhook.body


def metrics(bodies: list[dict[str, Any]]) -> list[str]:
    """What happened to what, in order."""
    return [f"{body['object_type']} {body['metric']}" for body in bodies]
