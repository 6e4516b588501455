"""The App API's endpoints: one method each. No retries, no policy: a send that is repeated is a second message.

Endpoints, authentication and answers: Customer.io's App API reference (transactional, broadcasts, workspaces).
"""

from http import HTTPStatus
from typing import Final

from schemas.answer import Answer, NoAnswer
from schemas.transactional_message import Channel
from streams.customerio.credentials import Values
from streams.customerio.http_client import Access, HttpClient

CONNECTIONS_MAX: Final = 100
REFUSALS: Final = (HTTPStatus.UNAUTHORIZED,)  # a 403 is about the message: a feature that is off, a forbidden file


def _bearer(values: Values) -> str:
    (key,) = values
    return f"Bearer {key}"


class AppClient(HttpClient):
    """Authentication with a bearer's key."""

    access = Access(header=_bearer, refusals=REFUSALS, connections_max=CONNECTIONS_MAX)

    async def send(self, channel: Channel, body: bytes) -> Answer | NoAnswer:
        """`POST /v1/send/{channel}`: 200 with `delivery_id`; it has no idempotency key."""
        return await self.request("POST", f"/v1/send/{channel}", body)

    async def trigger(self, broadcast_id: int, body: bytes) -> Answer | NoAnswer:
        """`POST /v1/campaigns/{broadcast_id}/triggers`: 200 with the trigger's `id`; it has no idempotency key."""
        return await self.request("POST", f"/v1/campaigns/{broadcast_id}/triggers", body)

    async def workspaces(self) -> Answer | NoAnswer:
        """`GET /v1/workspaces`: changes nothing, is short, and knows our key, so it tells whether the API works."""
        return await self.request("GET", "/v1/workspaces")
