"""The Track API over HTTP: what goes out, and how every answer or failure comes back as data."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.answer import Answer, NoAnswer
from streams.customerio.http_client import ANSWER_BYTES_MAX, RETRY_AFTER_S_MAX, retry_after_s
from streams.customerio.track import TrackClient
from tests.builders import track_client
from tests.fake_time import in_fake_time

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler) -> TrackClient:
    """A client whose transport is a function."""
    return track_client(transport=httpx.MockTransport(handler))


async def ask(handler: Handler) -> Answer | NoAnswer:
    """The answer to one batch."""
    asked = client(handler)
    answer = await asked.batch(b'{"batch":[]}')
    await asked.close()
    return answer


def raise_(error: Exception) -> httpx.Response:
    """Fail instead of answering."""
    raise error


async def test_each_endpoint_is_asked_as_documented() -> None:
    """Method, path, body, content type and basic authentication."""
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    asked = client(take)
    for call in (asked.batch, asked.entity, asked.anonymous_event):
        await call(b'{"n":1}')
    await asked.region()
    await asked.close()

    assert [(request.method, request.url.path, request.content) for request in seen] == [
        ("POST", "/api/v2/batch", b'{"n":1}'),
        ("POST", "/api/v2/entity", b'{"n":1}'),
        ("POST", "/api/v1/events", b'{"n":1}'),
        ("GET", "/api/v1/accounts/region", b""),
    ]
    credentials = "Basic " + base64.b64encode(b"site:key").decode()
    assert {request.headers["authorization"] for request in seen} == {credentials}
    assert {request.headers["content-type"] for request in seen} == {"application/json"}


async def test_the_last_byte_waits_for_permission() -> None:
    """Asked before the request and again before its end: what a pause cut in two is never carried out."""
    permits, parts = list[int](), list[bytes]()

    class Wire(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.AsyncByteStream)
            async for part in request.stream:
                parts.append(part)
                permits_by_part.append(len(permits))
            assert request.headers["content-length"] == "12"
            return httpx.Response(200, json={})

    async def permit() -> None:
        permits.append(1)

    permits_by_part: list[int] = []
    asked = track_client(timeout_s=5, permit=permit, transport=Wire())
    await asked.batch(b'{"batch":[]}')
    await asked.close()

    assert (b"".join(parts), len(parts[-1]), permits_by_part) == (b'{"batch":[]}', 1, [1, 2])


@pytest.mark.parametrize("status", [200, 207, 301, 308, 400, 401, 404, 429, 503])
async def test_every_status_is_an_answer(status: int) -> None:
    """Also a redirect, which is not followed: it would lose the body and means the wrong region."""
    elsewhere = {"location": "https://track-eu.example.com/api/v2/batch"}

    assert await ask(lambda _: httpx.Response(status, content=b"text", headers=elsewhere)) == Answer(status, b"text")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["http://[::1", "https://exa mple:port/", "//:x", "\x00", ""])
async def test_a_redirect_to_nowhere_is_an_answer_too(status: int, location: str) -> None:
    """Where it leads is not looked at: httpx would take what it cannot read for a fault of the network."""
    assert await ask(lambda _: httpx.Response(status, headers={"location": location})) == Answer(status, b"")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (httpx.ConnectTimeout("secret"), "timeout"),
        (httpx.ReadTimeout("secret"), "timeout"),
        (httpx.PoolTimeout("secret"), "timeout"),
        (TimeoutError("secret"), "timeout"),
        (httpx.ConnectError("secret"), "ConnectError"),
        (httpx.ReadError("secret"), "ReadError"),
        (httpx.RemoteProtocolError("secret"), "RemoteProtocolError"),
        (httpx.DecodingError("secret"), "DecodingError"),
    ],
)
async def test_a_failure_on_the_way_is_no_answer(error: Exception, cause: str) -> None:
    """Its kind is told, never its text."""
    assert await ask(lambda _: raise_(error)) == NoAnswer(cause)


async def test_what_nobody_foresaw_is_raised() -> None:
    """A bug must not look like the network."""
    with pytest.raises(ZeroDivisionError):
        await ask(lambda _: raise_(ZeroDivisionError()))


def test_a_request_has_its_time_in_all() -> None:
    """A server that sends a byte now and then keeps every single read within its limit, but not the request."""

    class Drip(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
            async def drip() -> AsyncIterator[bytes]:
                while True:
                    await asyncio.sleep(1)
                    yield b" "

            return httpx.Response(200, content=drip())

    async def ask_slowly() -> tuple[Answer | NoAnswer, float]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        asked = track_client(timeout_s=5, transport=Drip())
        answer = await asked.batch(b"")
        await asked.close()
        return answer, loop.time() - started

    answer, seconds = in_fake_time(ask_slowly())

    assert answer == NoAnswer("timeout")
    assert seconds == pytest.approx(5)


async def test_an_endless_answer_is_cut() -> None:
    """Memory is bounded, whatever the other side sends."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 65_536

    answer = await ask(lambda _: httpx.Response(502, content=endless()))

    assert answer == Answer(502, b"x" * ANSWER_BYTES_MAX)
    assert sent == ANSWER_BYTES_MAX // 65_536 + 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("0000000000000007", 7),
        ("300", 300),
        ("301", RETRY_AFTER_S_MAX),
        ("9" * 400, RETRY_AFTER_S_MAX),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", RETRY_AFTER_S_MAX),
        ("Wednesday, 21-Oct-15 07:28:00 GMT", 0),
        ("Wednesday, 21-Oct-65 07:28:00 GMT", RETRY_AFTER_S_MAX),
        ("Wed Oct 21 07:28:00 2015", 0),
        ("Thu Oct  1 07:28:00 2099", RETRY_AFTER_S_MAX),
        ("Wed, 21 Oct 2015 07:28:00", 0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("\u00b2", None),
        ("soon", None),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 +99999999999999999999", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    """At most five minutes, never negative, and None for what is neither; all three forms of a date are GMT."""
    assert retry_after_s(value) == seconds


@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"])
def test_retry_after_counts_to_its_date(form: str) -> None:
    """From now, by our clock."""
    seconds = retry_after_s((datetime.now(UTC) + timedelta(seconds=90)).strftime(form))

    assert seconds is not None
    assert 85 < seconds <= 90


@given(
    st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,9} [A-Z][a-z]{2} [0-9]{1,12} [0-9:]{1,12} [+-]?[0-9A-Z]{0,25}")
)
def test_no_retry_after_can_hurt(value: str) -> None:
    """Whatever a proxy writes there."""
    seconds = retry_after_s(value)

    assert seconds is None or 0 <= seconds <= RETRY_AFTER_S_MAX


async def test_the_header_reaches_the_answer() -> None:
    """On any status."""
    assert await ask(lambda _: httpx.Response(429, headers={"Retry-After": "7"})) == Answer(429, b"", 7.0)
