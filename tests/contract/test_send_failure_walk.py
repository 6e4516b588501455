"""Every row of the failure model of sends, walked from what the sandbox does on a socket to what is done about it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr

from agents.plans.sends import SendsPlan
from agents.steps.translate_send import translate_message
from schemas import send_failures
from schemas.delivery import Parcel, Verdict
from schemas.translated import Send
from streams.customerio.app_api import AppClient
from streams.customerio.app_sender import AppSender
from streams.customerio.breaker import Breaker
from streams.customerio.credentials import Credentials
from streams.customerio.wire import Response, Wire
from streams.delivery.messenger import Messenger
from streams.delivery.sends_memory import SendsMemory
from streams.sandbox.serve import running_sandbox
from streams.settings import APP_CREDENTIALS, Settings
from tests.builders import told
from tests.fakes import FakeLimiter, FakeMemory, FakeObserver
from tests.sends import MESSAGES, entry, make_message, make_send
from tests.sends_world import FakeApp, FakeErrand

SEND_PATH = "/v1/send/"
HELD_S = 1.0


@dataclass(slots=True)
class Scene:
    """A sender before a sandbox, over a real connection; `story` notes what errands were asked."""

    messenger: Messenger
    breaker: Breaker
    sandbox: httpx.AsyncClient
    story: FakeApp = field(default_factory=FakeApp)

    async def fault(self, kind: str, **where: Any) -> None:  # noqa: ANN401 - the switch's own fields
        """From now on sends go wrong so."""
        given = {"rate": 1.0, "kinds": [kind], "paths": [SEND_PATH], "hang_s": 0.3, "slow_s": 0.2} | where
        (await self.sandbox.put("/sandbox/faults", json=given | {"app_limit_per_s": 0})).raise_for_status()

    async def send(self, send_id: str = "a") -> Verdict:
        """Send a message of this id."""
        send = make_send(send_id, f"u-{send_id}")
        return await self.messenger.send(Parcel((send.body,), send=send), FakeErrand(self.story, send_id))

    async def paths(self) -> list[str]:
        """The paths that were called, in order."""
        lines = (await self.sandbox.get("/sandbox/requests")).text.splitlines()
        return [orjson.loads(line)["path"].rstrip("/") for line in lines]


@contextlib.asynccontextmanager
async def scene(*, port: int | None = None) -> AsyncIterator[Scene]:
    """Give a scene with quick pauses; its sender speaks to `port` rather than to the sandbox."""
    async with contextlib.AsyncExitStack() as stack:
        url = stack.enter_context(running_sandbox())
        credentials = Credentials(Settings(customerio_app_api_key=SecretStr("key")), APP_CREDENTIALS)
        there = url if port is None else f"http://127.0.0.1:{port}"
        client = AppClient(there, credentials=credentials, timeout_s=2.0)
        stack.push_async_callback(client.close)
        sandbox = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False))
        observer = FakeObserver()
        breaker = Breaker("send", first_pause_s=0.01, jitter=lambda: 0.1, observer=observer)

        async def call(send: Send) -> Response:
            return await client.send("push", send.body)

        wire, reads = Wire(breaker, FakeLimiter(), observer), Wire(breaker, FakeLimiter(), observer)
        sender = AppSender(call, wire, pace=FakeLimiter(), read=client.workspaces, reads=reads)
        yield Scene(Messenger({"message": sender}, is_current=lambda _: True), breaker, sandbox)


async def deliver(at: Scene, kind: str) -> None:
    """It is delivered with the first request."""
    await at.fault(kind, count=1)
    verdict = await at.send()

    assert (verdict.accepted, verdict.attempts, bool(verdict.delivery_id)) == (True, 1, True)


async def refuse(at: Scene, kind: str) -> None:
    """It is dead, and the next one is sent at once."""
    await at.fault(kind, count=1)
    verdicts = [await at.send("a"), await at.send("b")]

    assert [(verdict.accepted, verdict.reason) for verdict in verdicts] == [(False, "rejected"), (True, None)]
    assert at.story.told()[:2] == ["a intends", "a rejected"]
    assert len(await at.paths()) == 2


async def slow_down(at: Scene, kind: str) -> None:
    """Its intent is withdrawn, and it is sent once more."""
    await at.fault(kind, count=1)
    verdict = await at.send()

    assert (verdict.accepted, verdict.attempts) == (True, 1)
    assert at.story.told() == ["a intends", "a withdraws", "a intends", "a delivered"]


async def set_aside(at: Scene, kind: str) -> None:
    """It is set aside after one request, and a read goes before the next send."""
    await at.fault(kind, count=1)
    verdicts = [await at.send("a"), await at.send("b")]

    assert [(verdict.accepted, verdict.reason) for verdict in verdicts] == [(False, "ambiguous_send"), (True, None)]
    assert await at.paths() == [f"{SEND_PATH}push", "/v1/workspaces", f"{SEND_PATH}push"]


async def ask_first(_: Scene, __: str) -> None:
    """Nobody listens: nothing is set aside, and no intent is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with scene(port=port) as at:
        await held(at, "outage")


async def hold(at: Scene, kind: str) -> None:
    """Nothing is dead, everything waits."""
    await at.fault(kind, paths=[])
    await held(at, "credentials" if kind == "401" else "address")


async def held(at: Scene, reason: str) -> None:
    """Wait whether a verdict comes, and see why not."""
    sending = asyncio.create_task(at.send())
    done, _ = await asyncio.wait({sending}, timeout=HELD_S)
    sending.cancel()

    assert (done, at.breaker.reason) == (set(), reason)
    assert at.story.told() == ["a intends", "a withdraws"]


async def interrupted(_: Scene, __: str) -> None:
    """An intent without conclusion is all that is left of it."""
    sends = SendsMemory()
    sends.begin({MESSAGES: 0})
    sends.take(b"m-1", entry("intent"), 1000)
    plan = SendsPlan(translate=translate_message)
    plan.add([make_message()])
    plan.recall(FakeMemory(sends=sends))

    assert (plan.next_wave(), told(plan)) == ([], ["dead:ambiguous_send"])


Walk = Callable[[Scene, str], Awaitable[None]]
WALKS: dict[str, Walk] = {
    "sent": deliver,
    "refused send": refuse,
    "credentials of the App API": hold,
    "sent too fast": slow_down,
    "ambiguous": set_aside,
    "unreadable answer to a send": set_aside,
    "not sent": ask_first,
    "wrong address of the App API": hold,
    "interrupted": interrupted,
}


def test_every_row_of_sends_is_walked() -> None:
    """A new row without a walk fails here."""
    assert set(WALKS) == {row.name for row in send_failures.SEND_ROWS}


@pytest.mark.parametrize(
    ("row", "kind"), [(row.name, kind) for row in send_failures.SEND_ROWS for kind in row.sandbox or ("",)]
)
async def test_what_comes_back_to_a_send_is_treated_as_its_row_says(row: str, kind: str) -> None:
    """From the sandbox's fault to the action."""
    async with scene() as at:
        await WALKS[row](at, kind)
