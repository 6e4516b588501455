"""The App API over HTTP: what goes out, and whether what failed can have been carried out."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from pydantic import SecretStr

from schemas.answer import Answer, NoAnswer
from streams.customerio.app_api import AppClient
from streams.customerio.credentials import Credentials
from streams.settings import APP_CREDENTIALS, Settings
from tests.fake_time import in_fake_time


def client(transport: httpx.AsyncBaseTransport) -> AppClient:
    """A client whose key is `key`."""
    credentials = Credentials(Settings(customerio_app_api_key=SecretStr("key")), APP_CREDENTIALS)
    return AppClient("https://api.example.com", credentials=credentials, timeout_s=5, transport=transport)


async def test_each_endpoint_is_asked_as_documented() -> None:
    """Method, path, body, content type and the bearer's key."""
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"delivery_id": "d"})

    asked = client(httpx.MockTransport(take))
    answers = [await asked.send("in_app", b'{"n":1}'), await asked.trigger(12, b'{"n":2}'), await asked.workspaces()]
    await asked.close()

    assert answers == [Answer(200, b'{"delivery_id":"d"}')] * 3
    assert [(request.method, request.url.path, request.content) for request in seen] == [
        ("POST", "/v1/send/in_app", b'{"n":1}'),
        ("POST", "/v1/campaigns/12/triggers", b'{"n":2}'),
        ("GET", "/v1/workspaces", b""),
    ]
    assert {request.headers["authorization"] for request in seen} == {"Bearer key"}
    assert {request.headers["content-type"] for request in seen} == {"application/json"}


class Wire(httpx.AsyncBaseTransport):
    """Takes so many parts of a body, then fails."""

    def __init__(self, parts: int, fail: Callable[[], Exception]) -> None:
        self.parts = parts
        self.fail = fail

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Read, then raise."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        stream: AsyncIterator[bytes] = aiter(request.stream)
        for _ in range(self.parts):
            await anext(stream)
        raise self.fail()


@pytest.mark.parametrize(("parts", "is_out"), [(0, False), (1, False), (2, True)])
async def test_a_request_is_out_with_its_last_byte(parts: int, is_out: bool) -> None:  # noqa: FBT001 - parametrised
    """Before that nobody can have carried it out, so it may be sent again."""
    asked = client(Wire(parts, lambda: httpx.ReadError("secret")))
    answer = await asked.send("email", b'{"n":1}')
    await asked.close()

    assert answer == NoAnswer("ReadError", is_out=is_out)


def test_a_request_that_waits_for_leave_is_not_out() -> None:
    """The time is over while the last byte is kept back."""
    asks = 0

    async def permit() -> None:
        nonlocal asks
        asks += 1
        if asks > 1:
            await asyncio.Event().wait()

    async def send() -> Answer | NoAnswer:
        credentials = Credentials(Settings(customerio_app_api_key=SecretStr("key")), APP_CREDENTIALS)
        asked = AppClient(
            "https://api.example.com",
            credentials=credentials,
            timeout_s=5,
            permit=permit,
            transport=Wire(2, lambda: httpx.ReadError("secret")),
        )
        answer = await asked.trigger(12, b"{}")
        await asked.close()
        return answer

    assert in_fake_time(send()) == NoAnswer("timeout", is_out=False)
