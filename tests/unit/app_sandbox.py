"""A sandbox whose App API is called without a network, at a time that a test sets."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
import orjson

from streams.sandbox.app import create_app
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World

NOW: Final = 1_700_000_000.5
EMAIL: Final = {
    "to": "ada@example.com",
    "identifiers": {"id": "u-1"},
    "from": "shop@example.com",
    "subject": "Your order",
    "body": "It is on its way",
}
TEMPLATES: Final = {
    "transactional": [
        {
            "id": 3,
            "name": "Receipt",
            "subject": "{{ customer.first_name | default: 'Dear customer' }}, your receipt",
            "body": "<p>You paid {{message_data.total}} for {{ trigger.items[0].name }}.</p>",
            "sender": "shop@example.com",
        },
        {"id": 4, "name": "shipped", "channel": "push", "subject": "Shipped", "body": "On its way: {{number}}"},
    ],
    "broadcasts": [{"id": 12, "subject": "{{trigger.code}} for {{customer.first_name}}", "body": "Now!"}],
}


class Sandbox:
    """A client of a new sandbox, with the App key; `now` is the time there."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - options' own
        chosen = SandboxOptions(**options)
        self.now = NOW
        self.world = World(options=chosen)
        app = create_app(self.world, options=chosen, clock=lambda: self.now, sleep=self._sleep)
        transport = httpx.ASGITransport(app=app)
        headers = {"authorization": "Bearer app-key"}
        self.client = httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers)

    async def send(self, body: object = EMAIL, *, channel: str = "email") -> httpx.Response:
        """Send a message."""
        return await self.client.post(f"/v1/send/{channel}", json=body)

    async def trigger(self, body: object, *, broadcast: object = 12) -> httpx.Response:
        """Trigger a broadcast, when another one may be."""
        self.now += 10
        return await self.client.post(f"/v1/campaigns/{broadcast}/triggers", json=body)

    async def tell_templates(self) -> None:
        """Tell of the templates above."""
        (await self.client.put("/sandbox/templates", json=TEMPLATES)).raise_for_status()

    async def identify(self, identifier: str, **attributes: object) -> None:
        """Have a person."""
        path = f"/api/v1/customers/{identifier}"
        (await self.client.put(path, json=attributes, auth=("site", "key"))).raise_for_status()

    async def suppress(self, identifier: str) -> None:
        """Suppress somebody."""
        path = f"/api/v1/customers/{identifier}/suppress"
        (await self.client.post(path, auth=("site", "key"))).raise_for_status()

    async def outbox(self) -> list[Mapping[str, Any]]:
        """Return every message, the oldest first."""
        lines = (await self.client.get("/sandbox/outbox")).text.splitlines()
        return [orjson.loads(line) for line in lines]

    async def page(self) -> str:
        """Return the outbox as a browser shows it."""
        return (await self.client.get("/sandbox/outbox", headers={"accept": "text/html,*/*"})).text

    async def _sleep(self, wait_s: float) -> None:
        self.now += wait_s
