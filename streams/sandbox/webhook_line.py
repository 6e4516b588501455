"""The webhooks that wait to be sent: one after the other, all held back while the first of them fails. Bounded.

It knows neither HTTP nor the clock; what an answer means, and how long to wait after it, is decided here.
"""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any, Final

from streams.sandbox.webhook_options import WebhookOptions

WAITING_MAX: Final = 100_000
"""Beyond it the newest are dropped, and counted in `dropped`."""

SENT_KEPT: Final = 10_000
"""So many of those that were answered with success are kept for a look."""

CONNECTION: Final = "connection"
"""Refused, reset, closed before the answer's end, or TLS that failed."""

TIMEOUT: Final = "timeout"
HOLDING: Final = frozenset({"400", "401", "402", "403", "404", "405", "410", "429", "500", "502", "521", CONNECTION})
"""After these Customer.io waits an hour; after anything else that is no success it begins with a short pause."""


@dataclass(slots=True, kw_only=True, eq=False)
class Webhook:
    """One to send: what it says, and what became of it. Times are unix seconds."""

    event_id: str
    object_type: str
    metric: str
    body: bytes
    tries: int = 0
    first_tried_at: float = 0.0
    signed_at: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as the views show it."""
        return {
            "event_id": self.event_id,
            "object_type": self.object_type,
            "metric": self.metric,
            "tries": self.tries,
        }


class Line:
    """One per sandbox; whoever sends takes `due` and says how that ended."""

    def __init__(self, *, waiting_max: int = WAITING_MAX) -> None:
        self.sent = 0
        self.given_up = 0
        self.dropped = 0
        self.failures: Counter[str] = Counter()
        """By status, or by what happened instead of one; exact."""

        self.newest: deque[Webhook] = deque(maxlen=SENT_KEPT)
        self._waiting_max = waiting_max
        self._waiting: deque[Webhook] = deque()
        self._failing_since: float | None = None
        self._pause_s = 0.0
        self._next_at = 0.0

    def put(self, webhook: Webhook) -> None:
        """Add one to the end."""
        if len(self._waiting) >= self._waiting_max:
            self.dropped += 1
        else:
            self._waiting.append(webhook)

    def due(self, now: float) -> Webhook | None:
        """Return the first one, unless it is to wait longer."""
        return self._waiting[0] if self._waiting and now >= self._next_at else None

    def sign(self, webhook: Webhook, options: WebhookOptions, *, now: float) -> int:
        """Count a try, and return the second in which it is signed."""
        webhook.tries += 1
        if webhook.tries == 1:
            webhook.first_tried_at = now
        if webhook.tries == 1 or options.signs_anew:
            webhook.signed_at = int(now)
        return webhook.signed_at

    def conclude(self, answer: str, options: WebhookOptions, *, now: float) -> None:
        """Note how the try of the first one ended: a status, or `TIMEOUT` or `CONNECTION`."""
        if answer.startswith("2"):
            self._succeed()
        else:
            self._fail(answer, options, now=now)

    def shown(self) -> dict[str, Any]:
        """Return the state in numbers; `held` are those that wait for another one's success."""
        is_failing = self._failing_since is not None
        return {
            "sent": self.sent,
            "waiting": len(self._waiting),
            "held": max(0, len(self._waiting) - 1) if is_failing else 0,
            "failing_since": self._failing_since,
            "next_try_at": self._next_at if is_failing else None,
            "failures": self.failures,
            "given_up": self.given_up,
            "dropped": self.dropped,
        }

    def _succeed(self) -> None:
        self.sent += 1
        self.newest.append(self._waiting.popleft())
        self._failing_since = None
        self._pause_s = self._next_at = 0.0

    def _fail(self, answer: str, options: WebhookOptions, *, now: float) -> None:
        self.failures[answer] += 1
        if self._failing_since is None:
            self._failing_since = now
        self._pause_s = max(2 * self._pause_s, options.hold_s if answer in HOLDING else options.retry_s)
        if now + self._pause_s - self._waiting[0].first_tried_at <= options.give_up_s:
            self._next_at = now + self._pause_s
            return
        self._waiting.popleft()
        self.given_up += 1
        self._pause_s = self._next_at = 0.0  # the next one is tried at once, and has seven days of its own
