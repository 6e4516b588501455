"""The Track API's endpoints: one method each. No retries, no policy.

Endpoints, authentication and answers: Customer.io's Track API reference (v2 batch and entity, v1 events and region).
"""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import httpx

from schemas.answer import Answer, NoAnswer
from streams.customerio.credentials import Credentials, Values
from streams.customerio.http_client import Access, HttpClient, always

CONNECTIONS_MAX: Final = 8
REFUSALS: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)  # of the credentials, on this API


class TrackClient:
    """Basic authentication with site id and key as they are at each request, which has `timeout_s` in all."""

    def __init__(
        self,
        url: str,
        *,
        credentials: Credentials,
        timeout_s: float,
        permit: Callable[[], Awaitable[None]] = always,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.credentials = credentials
        self._http = HttpClient(
            url,
            Access(credentials=credentials, header=_basic, refusals=REFUSALS),
            timeout_s=timeout_s,
            connections_max=CONNECTIONS_MAX,
            permit=permit,
            transport=transport,
        )

    async def batch(self, body: bytes) -> Answer | NoAnswer:
        """`POST /api/v2/batch`."""
        return await self._http.request("POST", "/api/v2/batch", body)

    async def entity(self, body: bytes) -> Answer | NoAnswer:
        """`POST /api/v2/entity`: one operation alone."""
        return await self._http.request("POST", "/api/v2/entity", body)

    async def anonymous_event(self, body: bytes) -> Answer | NoAnswer:
        """`POST /api/v1/events`."""
        return await self._http.request("POST", "/api/v1/events", body)

    async def region(self) -> Answer | NoAnswer:
        """`GET /api/v1/accounts/region`: answers on either regional host, so it finds a wrong one."""
        return await self._http.request("GET", "/api/v1/accounts/region")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _basic(values: Values) -> str:
    return "Basic " + b64encode(":".join(values).encode()).decode()
