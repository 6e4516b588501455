"""Puts together what a sandbox needs to report to a webhook: options, reporter, line and sender. No decisions here."""

from collections.abc import Callable, Iterator
from typing import Any

from streams.sandbox.settling import Settle
from streams.sandbox.switch import Switch
from streams.sandbox.templates import Templates
from streams.sandbox.webhook_line import Line
from streams.sandbox.webhook_options import WebhookOptions
from streams.sandbox.webhook_reporter import Reporter
from streams.sandbox.webhook_sender import Sender
from streams.sandbox.world import World


class Webhooks:
    """One per sandbox; it listens from the start, and tells nobody until the options name a receiver."""

    def __init__(self, world: World, *, options: WebhookOptions, templates: Switch[Templates]) -> None:
        self.options = Switch(options)
        self.line = Line()
        self._reporter = Reporter(world, options=self.options, templates=templates, line=self.line)
        self.settle: Settle = self._reporter.settle
        world.outbox.listeners.append(self._reporter.take_message)
        world.subscription_listeners.append(self._reporter.take_subscription)

    def sender(self, *settles: Settle, clock: Callable[[], float]) -> Sender:
        """Return who sends them, and carries out meanwhile what else falls due."""
        return Sender(self.line, options=self.options, settles=settles, clock=clock)

    def sent(self) -> Iterator[dict[str, Any]]:
        """Yield the newest that were answered with success, the oldest first."""
        return (webhook.as_json() for webhook in tuple(self.line.newest))

    def shown(self) -> dict[str, Any]:
        """Return the state in numbers."""
        reporter = self._reporter
        return {
            "is_on": self.options.value.url is not None,
            "made": reporter.made,
            "repeated": reporter.repeated,
            "to_come": reporter.to_come,
            "left_out": reporter.left_out,
            **self.line.shown(),
        }
