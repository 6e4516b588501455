"""Sends a sandbox's webhooks as Customer.io does: signed, one at a time, four seconds each, only a 2xx is success."""

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import httpx

from streams.background import alongside
from streams.sandbox.settling import Settle
from streams.sandbox.switch import Switch
from streams.sandbox.webhook_line import CONNECTION, TIMEOUT, Line, Webhook
from streams.sandbox.webhook_options import WebhookOptions

IDLE_S: Final = 0.05
"""So often it is looked whether anything is due."""

ANSWER_BYTES_MAX: Final = 65_536
"""So much of an answer's body is read, so that its connection can be used again."""


class Sender:
    """Carries out what is due in the sandbox, and sends what is due in the line, for as long as `running` lasts."""

    def __init__(
        self,
        line: Line,
        *,
        options: Switch[WebhookOptions],
        settles: Sequence[Settle],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._line = line
        self._options = options
        self._settles = settles
        self._clock = clock
        self._sleep = sleep

    @contextlib.asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        """Send in the background; what is on its way at the end is given up."""
        async with alongside(self._run()) as task:
            task.add_done_callback(_tell)
            yield

    async def _run(self) -> None:
        while self._options.value.url is None:  # most sandboxes never send, and need no client
            await self._sleep(IDLE_S)
        async with httpx.AsyncClient(timeout=None, trust_env=False) as client:  # noqa: S113 - the whole call has one
            while True:
                await self._turn(client)

    async def _turn(self, client: httpx.AsyncClient) -> None:
        options, now = self._options.value, self._clock()
        for settle in self._settles:
            settle(now=now)
        webhook = self._line.due(now)
        if webhook is None or options.url is None:
            await self._sleep(IDLE_S)
            return
        signed_at = self._line.sign(webhook, options, now=now)
        answer = await _post(client, webhook, options, url=options.url, signed_at=signed_at)
        self._line.conclude(answer, options, now=self._clock())


def _tell(task: "asyncio.Task[None]") -> None:
    """Say at once that nothing is sent any more, and why: nobody waits for the task before the end."""
    if not task.cancelled() and task.exception() is not None:
        told = {"message": "the sandbox's webhooks have ended", "exception": task.exception()}
        task.get_loop().call_exception_handler(told)


def signature(key: str, body: bytes, *, signed_at: int) -> str:
    """Return what Customer.io signs a body with, at a second of unix time."""
    return hmac.new(key.encode(), b"v0:%d:%b" % (signed_at, body), "sha256").hexdigest()


async def _post(
    client: httpx.AsyncClient, webhook: Webhook, options: WebhookOptions, *, url: str, signed_at: int
) -> str:
    signed = signature(options.signing_key.get_secret_value(), webhook.body, signed_at=signed_at)
    headers = {
        "content-type": "application/json",
        "x-cio-timestamp": str(signed_at),
        "x-cio-signature": signed,
    }
    try:
        async with (
            asyncio.timeout(options.timeout_s),
            client.stream("POST", url, content=webhook.body, headers=headers) as response,
        ):
            await _drain(response)
            return str(response.status_code)
    except TimeoutError:
        return TIMEOUT
    except (httpx.HTTPError, httpx.InvalidURL):
        return CONNECTION


async def _drain(response: httpx.Response) -> None:
    size = 0
    async for block in response.aiter_raw():
        size += len(block)
        if size > ANSWER_BYTES_MAX:
            return
