"""Every row of the failure model, walked from what the sandbox does on a socket to what is done about it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from agents.steps.translate_change import simple_body
from schemas import failure_model
from schemas.delivery import Parcel, Verdict
from streams.customerio.breaker import Breaker
from streams.customerio.sender import TrackSender
from streams.customerio.wire import Wire
from streams.sandbox.serve import running_sandbox
from tests.builders import track_client
from tests.fakes import FakeLimiter, FakeObserver

GOOD, BAD = "good-1", "bad-1"
HELD_S = 2.5  # three attempts and two halves, one by one


@dataclass(slots=True)
class Scene:
    """A sender before a sandbox, over a real connection."""

    sender: TrackSender
    observer: FakeObserver
    sandbox: httpx.AsyncClient

    async def fault(self, kind: str, **where: Any) -> None:  # noqa: ANN401 - the switch's own fields
        """From now on requests go wrong so."""
        given = {"rate": 1.0, "kinds": [kind], "containing": None, "hang_s": 0.3, "slow_s": 0.2} | where
        (await self.sandbox.put("/sandbox/faults", json=given)).raise_for_status()

    async def send(self, *people: str) -> list[Verdict]:
        """Suppress these people in one batch."""
        return await self.sender.send_batch([Parcel((simple_body(person, "suppress"),)) for person in people])

    async def paths(self) -> list[str]:
        """The paths that were called, in order."""
        lines = (await self.sandbox.get("/sandbox/requests")).text.splitlines()
        return [orjson.loads(line)["path"] for line in lines]


@contextlib.asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """Give a scene with quick pauses."""
    async with contextlib.AsyncExitStack() as stack:
        url = stack.enter_context(running_sandbox())
        client = track_client(url, timeout_s=2.0)
        stack.push_async_callback(client.close)
        sandbox = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False))
        observer = FakeObserver()
        breaker = Breaker("track", first_pause_s=0.01, jitter=lambda: 0.1, observer=observer)
        sender = TrackSender(
            client,
            Wire(breaker, FakeLimiter(), observer),
            attempts_max=3,
            backoff_s=0.01,
            jitter=lambda: 0.1,
            describe_region=str,
        )
        yield Scene(sender, observer, sandbox)


async def deliver(at: Scene, kind: str) -> None:
    """Everything is delivered with the first request."""
    await at.fault(kind, count=1)
    verdicts = await at.send(GOOD, BAD)

    assert [(verdict.accepted, verdict.attempts) for verdict in verdicts] == [(True, 1)] * 2


async def refuse_items(at: Scene, kind: str) -> None:
    """The named item is dead, the other delivered."""
    await at.fault(kind, count=1)
    verdicts = await at.send(BAD, GOOD)

    assert [(verdict.accepted, verdict.reason) for verdict in verdicts] == [(False, "rejected"), (True, None)]


async def send_alone(at: Scene, kind: str) -> None:
    """Each item is sent again by itself."""
    await at.fault(kind, count=1)
    verdicts = await at.send(GOOD, BAD)

    assert [(verdict.accepted, verdict.attempts) for verdict in verdicts] == [(True, 2)] * 2
    assert await at.paths() == ["/api/v2/batch", "/api/v2/entity", "/api/v2/entity"]


async def halve(at: Scene, kind: str) -> None:
    """The culprit is dead, its sibling delivered."""
    await at.fault(kind, containing=BAD)
    verdicts = await at.send(GOOD, BAD)

    assert [(verdict.accepted, verdict.reason) for verdict in verdicts] == [(True, None), (False, "rejected")]


async def ask_region(at: Scene, kind: str) -> None:
    """While the API answers for its region it is an item's fault, afterwards the URL's."""
    await halve(at, kind)
    assert "/api/v1/accounts/region" in await at.paths()
    await at.fault(kind)
    await held(at, "address")


async def slow_down(at: Scene, kind: str) -> None:
    """Everybody waits, and no attempt is used up."""
    await at.fault(kind, count=1)
    verdicts = await at.send(GOOD)

    assert [(verdict.accepted, verdict.attempts) for verdict in verdicts] == [(True, 1)]
    assert at.observer.holds == [("track", "too_fast")]


async def retry(at: Scene, kind: str) -> None:
    """It is sent again and delivered."""
    await at.fault(kind, count=1)
    verdicts = await at.send(GOOD, BAD)

    assert [(verdict.accepted, verdict.attempts) for verdict in verdicts] == [(True, 2)] * 2


async def hold_for_credentials(at: Scene, kind: str) -> None:
    """Nothing is dead, everything waits."""
    await at.fault(kind)
    await held(at, "credentials")


async def hold_for_address(at: Scene, kind: str) -> None:
    """Nothing is dead, everything waits."""
    await at.fault(kind)
    await held(at, "address")


async def give_up(at: Scene, _: str) -> None:
    """What fails alone, while others are accepted, is dead."""
    await at.fault("503", containing=BAD)
    others = asyncio.create_task(_traffic(at))
    verdicts = await at.send(GOOD, BAD)
    others.cancel()

    assert [(verdict.accepted, verdict.reason) for verdict in verdicts] == [(True, None), (False, "retries_exhausted")]


async def _traffic(at: Scene) -> None:
    while True:
        await at.send("other-1")


async def hold_in_an_outage(at: Scene, _: str) -> None:
    """Attempts are used up and nothing is accepted: nothing is dead, everything waits."""
    await at.fault("503")
    await held(at, "outage")


async def held(at: Scene, reason: str) -> None:
    """Wait whether a verdict comes, and see why not."""
    sending = asyncio.create_task(at.send(GOOD, BAD))
    done, _ = await asyncio.wait({sending}, timeout=HELD_S)
    sending.cancel()

    assert not done
    assert at.sender.breaker.reason == reason
    assert at.sender.is_held


async def crash(at: Scene, _: str) -> None:
    """Nobody foresaw it, so nobody swallows it: whoever asked for the verdict is told, and the lanes crash."""

    async def surprise(_: bytes) -> Any:  # noqa: ANN401 - never returns
        raise ZeroDivisionError

    at.sender._client.batch = surprise  # type: ignore[assignment]  # nothing in between could surprise so
    with pytest.raises(ZeroDivisionError):
        await at.send(GOOD)


Walk = Callable[[Scene, str], Awaitable[None]]
WALKS: dict[str, Walk] = {
    "accepted": deliver,
    "refused items": refuse_items,
    "unclear": send_alone,
    "refused request": halve,
    "not found": ask_region,
    "credentials": hold_for_credentials,
    "too fast": slow_down,
    "try again": retry,
    "unreadable": retry,
    "wrong address": hold_for_address,
    "given up": give_up,
    "outage": hold_in_an_outage,
    "unforeseen": crash,
}


def test_every_row_is_walked() -> None:
    """A new row without a walk fails here."""
    assert set(WALKS) == {row.name for row in failure_model.ROWS}


@pytest.mark.parametrize(
    ("row", "kind"), [(row.name, kind) for row in failure_model.ROWS for kind in row.sandbox or ("",)]
)
async def test_what_comes_back_is_treated_as_its_row_says(row: str, kind: str) -> None:
    """From the sandbox's fault to the action."""
    async with scene() as at:
        await WALKS[row](at, kind)
