"""The Track API as an HTTP client: one method per endpoint, every foreign error translated here. No retries, no policy.

Endpoints, authentication and answers: Customer.io's Track API reference (v2 batch and entity, v1 events and region).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from schemas.answer import Answer, NoAnswer
from streams.customerio.credentials import Credentials

RETRY_AFTER_S_MAX = 300.0
CONNECTIONS_MAX = 8
KEEPALIVE_S = 60.0  # well under what the server allows
ANSWER_BYTES_MAX = 1_000_000
REFUSALS = (401, 403)  # of the credentials, on this API


async def _always() -> None:
    """Permit a request to whoever owns nothing, as `check` does."""


class TrackClient:
    """Basic authentication with site id and key as they are at each request, which has `timeout_s` in all."""

    def __init__(
        self,
        url: str,
        *,
        credentials: Credentials,
        timeout_s: float,
        permit: Callable[[], Awaitable[None]] = _always,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.credentials = credentials
        self._timeout_s = timeout_s
        self._permit = permit
        self._http = httpx.AsyncClient(
            base_url=url,
            timeout=timeout_s,
            follow_redirects=False,  # a redirect means the wrong region, and would lose the body
            event_hooks={"response": [_forget_location]},
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=KEEPALIVE_S),
            headers={"Content-Type": "application/json", "User-Agent": "customerio-streams"},
            transport=transport,
            trust_env=False,  # settings are ours alone
        )

    async def batch(self, body: bytes) -> Answer | NoAnswer:
        """`POST /api/v2/batch`."""
        return await self._request("POST", "/api/v2/batch", body)

    async def entity(self, body: bytes) -> Answer | NoAnswer:
        """`POST /api/v2/entity`: one operation alone."""
        return await self._request("POST", "/api/v2/entity", body)

    async def anonymous_event(self, body: bytes) -> Answer | NoAnswer:
        """`POST /api/v1/events`."""
        return await self._request("POST", "/api/v1/events", body)

    async def region(self) -> Answer | NoAnswer:
        """`GET /api/v1/accounts/region`: answers on either regional host, so it finds a wrong one."""
        return await self._request("GET", "/api/v1/accounts/region", None)

    async def _request(self, method: str, path: str, body: bytes | None) -> Answer | NoAnswer:
        await self._permit()
        content = None if body is None else self._permitted(body)
        headers = {} if body is None else {"Content-Length": str(len(body))}
        site_id, key = used = self.credentials.current()
        request = self._http.stream(method, path, content=content, headers=headers, auth=(site_id, key))
        try:
            async with asyncio.timeout(self._timeout_s), request as response:
                answered = await _beginning(response)
        except TimeoutError:
            return NoAnswer("timeout")
        except httpx.TimeoutException:
            return NoAnswer("timeout")
        except (httpx.TransportError, httpx.DecodingError) as exc:
            return NoAnswer(type(exc).__name__)
        if response.status_code in REFUSALS:
            self.credentials.refused(used)
        return Answer(response.status_code, answered, _retry_after_s(response.headers.get("retry-after")))

    async def _permitted(self, body: bytes) -> AsyncIterator[bytes]:
        """Keep the last byte back until it is certain, once more, that we may: without it nothing is carried out.

        Whoever was stopped in the middle of a request finds out here, and not after the next owner's requests.
        """
        yield body[:-1]
        await self._permit()
        yield body[-1:]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


async def _forget_location(response: httpx.Response) -> None:
    """We do not go there, but httpx reads it all the same, and what it cannot read costs us the status."""
    response.headers.pop("location", None)


async def _beginning(response: httpx.Response) -> bytes:
    """The body, cut off where no answer of Customer.io is so long: what is cut cannot be read and is judged so."""
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > ANSWER_BYTES_MAX:
            break
    return bytes(body[:ANSWER_BYTES_MAX])


def _retry_after_s(value: str | None) -> float | None:
    """Seconds or an HTTP date in any of its three forms (RFC 9110, 10.2.3 and 5.6.7), at most `RETRY_AFTER_S_MAX`.

    None for anything else.
    """
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value), RETRY_AFTER_S_MAX)  # however many digits
    try:
        date = parsedate_to_datetime(value)
        date = date if date.tzinfo else date.replace(tzinfo=UTC)  # asctime's form names no zone, and means GMT
        seconds = (date - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_S_MAX)
