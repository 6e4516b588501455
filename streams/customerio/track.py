"""The Track API's endpoints: one method each. No retries, no policy.

Endpoints, authentication and answers: Customer.io's Track API reference (v2 batch and entity, v1 events and region).
"""

from base64 import b64encode
from http import HTTPStatus
from typing import Final

from schemas.answer import Answer, NoAnswer
from streams.customerio.credentials import Values
from streams.customerio.http_client import Access, HttpClient

CONNECTIONS_MAX: Final = 8
REFUSALS: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)  # of the credentials, on this API


def _basic(values: Values) -> str:
    return "Basic " + b64encode(":".join(values).encode()).decode()


class TrackClient(HttpClient):
    """Basic authentication with site id and key."""

    access = Access(header=_basic, refusals=REFUSALS, connections_max=CONNECTIONS_MAX)

    async def batch(self, body: bytes) -> Answer | NoAnswer:
        """`POST /api/v2/batch`."""
        return await self.request("POST", "/api/v2/batch", body)

    async def entity(self, body: bytes) -> Answer | NoAnswer:
        """`POST /api/v2/entity`: one operation alone."""
        return await self.request("POST", "/api/v2/entity", body)

    async def anonymous_event(self, body: bytes) -> Answer | NoAnswer:
        """`POST /api/v1/events`."""
        return await self.request("POST", "/api/v1/events", body)

    async def region(self) -> Answer | NoAnswer:
        """`GET /api/v1/accounts/region`: answers on either regional host, so it finds a wrong one."""
        return await self.request("GET", "/api/v1/accounts/region")
