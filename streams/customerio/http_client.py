"""One host of Customer.io over HTTP: every foreign error is translated here. No retries, no policy, no endpoints.

What its APIs share stands here alone: time-outs, the lease before the first byte and the last, `Retry-After`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import ClassVar

import httpx

from schemas.answer import Answer, NoAnswer
from streams.customerio.credentials import Credentials, Values

RETRY_AFTER_S_MAX = 300.0
KEEPALIVE_S = 60.0  # well under what the server allows
ANSWER_BYTES_MAX = 1_000_000


Exchange = Callable[[Mapping[str, str]], Awaitable[Answer | NoAnswer]]
"""Makes one request, with these further headers."""
Traced = Callable[[str, str, Exchange], Awaitable[Answer | NoAnswer]]
"""Makes it, and tells of it; method and URL first."""


async def always() -> None:
    """Permit a request to whoever owns nothing, as `check` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How an API is told who we are, in at most `connections_max` requests at once.

    `header` makes the header's value, `refusals` are the statuses that doubt it.
    """

    header: Callable[[Values], str]
    refusals: Collection[int]
    connections_max: int


class HttpClient:
    """What the clients of its APIs are: credentials as they are at each request, which has `timeout_s` in all."""

    access: ClassVar[Access]

    def __init__(
        self,
        url: str,
        *,
        credentials: Credentials,
        timeout_s: float,
        permit: Callable[[], Awaitable[None]] = always,
        traced: Traced | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.credentials = credentials
        self._timeout_s = timeout_s
        self._permit = permit
        self._traced = traced
        self._url = url
        self._http = httpx.AsyncClient(
            base_url=url,
            timeout=timeout_s,
            follow_redirects=False,  # a redirect means the wrong region, and would lose the body
            event_hooks={"response": [_forget_location]},
            limits=httpx.Limits(max_connections=self.access.connections_max, keepalive_expiry=KEEPALIVE_S),
            headers={"Content-Type": "application/json", "User-Agent": "customerio-streams"},
            transport=transport,
            trust_env=False,  # settings are ours alone
        )

    async def request(self, method: str, path: str, body: bytes | None = None) -> Answer | NoAnswer:
        """What is answered, or that nothing is, and whether the request can have been carried out."""
        await self._permit()
        exchange = partial(self._exchange, method, path, body)
        return await (self._traced(method, self._url + path, exchange) if self._traced else exchange({}))

    async def _exchange(self, method: str, path: str, body: bytes | None, more: Mapping[str, str]) -> Answer | NoAnswer:
        last_byte = _LastByte(is_out=not body)
        used = self.credentials.current()
        headers = {"Authorization": self.access.header(used), **more}
        if body is not None:
            headers["Content-Length"] = str(len(body))
        content = None if body is None else self._permitted(body, last_byte)
        request = self._http.stream(method, path, content=content, headers=headers)
        try:
            async with asyncio.timeout(self._timeout_s), request as response:
                answered = await _beginning(response)
        except (TimeoutError, httpx.TimeoutException):
            return NoAnswer("timeout", is_out=last_byte.is_out)
        except (httpx.TransportError, httpx.DecodingError) as exc:
            return NoAnswer(type(exc).__name__, is_out=last_byte.is_out)
        if response.status_code in self.access.refusals:
            self.credentials.refused(used)
        return Answer(response.status_code, answered, retry_after_s(response.headers.get("retry-after")))

    async def _permitted(self, body: bytes, last_byte: "_LastByte") -> AsyncIterator[bytes]:
        """Keep the last byte back until it is certain, once more, that we may: without it nothing is carried out.

        Whoever was stopped in the middle of a request finds out here, and not after the next owner's requests.
        """
        yield body[:-1]
        await self._permit()
        last_byte.is_out = True
        yield body[-1:]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


@dataclass(slots=True)
class _LastByte:
    is_out: bool


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


def retry_after_s(value: str | None) -> float | None:
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
