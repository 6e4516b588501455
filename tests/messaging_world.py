"""A `MessagingService` on a transport that answers as the test says, and what the sandbox would make of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from streams.messaging import Account, MessagingService, Rates

ACCOUNT = Account(site_id="site", track_api_key="track-key", app_api_key="app-key")
RATES = Rates(track_per_s=100, send_per_s=100, broadcast_per_s=1)

Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]] | Exception
Answers = Callable[[httpx.Request], Reply]

TAKEN: Reply = (200, {})


@dataclass(slots=True)
class ScriptedApi(httpx.AsyncBaseTransport):
    """Both APIs: knows the region, and answers everything else from `script`, then by `answers`, after `latency_s`.

    `asked` are path and body of each request but for those about the region; `times` the loop's seconds.
    """

    script: list[Reply] = field(default_factory=list)
    answers: Answers = lambda _: TAKEN
    latency_s: float = 0.0
    region: Reply = (200, {"region": "us"})
    is_down: bool = False
    asked: list[tuple[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as told; whoever is down does not even take the request."""
        if self.is_down:
            raise httpx.ConnectError("refused")
        body = await request.aread()
        if request.url.path == "/api/v1/accounts/region":
            return _response(self.region)
        self.asked.append((request.url.path, orjson.loads(body) if body else None))
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.latency_s)
        return _response(self.script.pop(0) if self.script else self.answers(request))

    def operations(self) -> list[dict[str, Any]]:
        """All items of batches, in order, and the bodies of other requests."""
        return [item for _, body in self.asked for item in body.get("batch", [body])]

    def actions(self) -> list[str]:
        """Their names."""
        return [item["action"] for item in self.operations()]


def _response(reply: Reply) -> httpx.Response:
    if isinstance(reply, Exception):
        raise reply
    status, body, *headers = reply
    return httpx.Response(status, json=body, headers=headers[0] if headers else None)


def service_on(api: httpx.AsyncBaseTransport, *, rates: Rates = RATES, **options: Any) -> MessagingService:  # noqa: ANN401 - the service's own
    """Build a service that speaks to `api`."""
    return MessagingService(ACCOUNT, rates, transport=api, **options)
