"""How long a caller of the direct service waits, and which error ends it: in fake time, on an API of the test's own."""

import asyncio
from typing import Any

import httpx
import pytest

from schemas.errors import BusyError, ConfigError, UnauthorisedError, UnavailableError
from streams.customerio.track import CONNECTIONS_MAX
from streams.messaging import MessagingService, Rates
from streams.messaging.patience import UNFINISHED_MAX
from tests.fake_time import fake_timed
from tests.messaging_world import ScriptedApi, service_on


def now_s() -> float:
    """The loop's seconds."""
    return asyncio.get_running_loop().time()


@fake_timed
async def test_refused_credentials_are_told_at_once() -> None:
    """Nobody waits for credentials to change; the next caller asks again when it is time to."""
    api = ScriptedApi([(401, {})])
    async with service_on(api) as service:
        began_s = now_s()
        for _ in range(2):
            with pytest.raises(UnauthorisedError):
                await service.suppress("u-1")
        assert (now_s() - began_s < 1, len(api.asked)) == (True, 1)

        await asyncio.sleep(3)
        await service.suppress("u-1")


@pytest.mark.parametrize(
    ("region", "error"), [((200, {"region": "eu"}), ConfigError), ((401, {}), UnauthorisedError)], ids=["eu", "401"]
)
def test_a_wrong_region_or_key_is_told_before_anything_is_said(region: tuple[int, Any], error: type[Exception]) -> None:
    """An account's data must not reach the other region."""

    @fake_timed
    async def run() -> None:
        with pytest.raises(error):
            async with service_on(ScriptedApi(region=region)):
                pass

    run()


@fake_timed
async def test_a_short_fault_is_waited_out() -> None:
    """As a worker does, within the deadline."""
    api = ScriptedApi([(503, {}), httpx.ConnectError("no")])
    async with service_on(api, timeout_s=30) as service:
        await service.suppress("u-1")

    assert api.actions() == ["suppress"] * 3


@fake_timed
async def test_an_outage_ends_at_the_deadline_and_then_at_once() -> None:
    """Once it is known to be down, callers are told so without a request, and when it may be asked again."""
    api = ScriptedApi(answers=lambda _: (503, {}))
    async with service_on(api, timeout_s=10) as service:
        began_s = now_s()
        retry_after_s = await fail(service)
        assert now_s() - began_s <= 10.2
        while retry_after_s < 5:  # the pauses grow
            retry_after_s = await fail(service)

        began_s, asked = now_s(), len(api.asked)
        assert 4.9 < await fail(service, timeout_s=1) <= 30
        assert (now_s() - began_s < 0.1, len(api.asked)) == (True, asked)

        api.answers = lambda _: (200, {})
        await asyncio.sleep(30)
        await service.suppress("u-1")


async def fail(service: MessagingService, timeout_s: float | None = None) -> float:
    """After how many seconds it may be tried again, by an operation that must fail; 0 when it does not say."""
    with pytest.raises(UnavailableError) as caught:
        await service.suppress("u-1", timeout_s=timeout_s)
    return caught.value.retry_after_s or 0.0


@fake_timed
async def test_a_429_tells_when_to_come_back() -> None:
    """As the server asked, without waiting for it in vain."""
    api = ScriptedApi([(429, {}, {"Retry-After": "60"})])
    async with service_on(api) as service:
        with pytest.raises(BusyError) as caught:
            await service.suppress("u-1")

    assert 59 < (caught.value.retry_after_s or 0) <= 60


@fake_timed
async def test_a_request_that_hangs_ends_with_the_callers_patience() -> None:
    """The request is cancelled, and its place is free again."""
    api = ScriptedApi(latency_s=1e6)
    async with service_on(api) as service:
        results = await asyncio.gather(*(service.suppress(n, timeout_s=3) for n in range(20)), return_exceptions=True)
        api.latency_s = 0
        await service.suppress("u-1")

    assert {type(each) for each in results} == {UnavailableError, BusyError}


@fake_timed
async def test_an_api_that_hangs_is_noticed() -> None:
    """By those who waited; the next are told at once, until one of them finds an answer again."""
    api = ScriptedApi(latency_s=1e6)
    async with service_on(api) as service:
        for _ in range(3):
            await fail(service, timeout_s=3)
        began_s, asked = now_s(), len(api.asked)
        assert await fail(service, timeout_s=0.5) > 0.5
        assert (now_s() - began_s < 0.1, len(api.asked)) == (True, asked)

        api.latency_s = 0
        await asyncio.sleep(5)
        await service.suppress("u-1")


@fake_timed
async def test_who_others_leave_no_room_is_told_that() -> None:
    """It is not the rate: there are so many places only, and all of them hang."""
    api = ScriptedApi(latency_s=1e6)
    async with service_on(api) as service:
        others = [asyncio.create_task(service.suppress(n, timeout_s=60)) for n in range(CONNECTIONS_MAX)]
        await asyncio.sleep(1)
        with pytest.raises(BusyError, match="others that are under way"):
            await service.suppress("u-1", timeout_s=1)
        for task in others:
            task.cancel()
        await asyncio.wait(others)


@fake_timed
async def test_the_rate_is_kept_and_who_it_leaves_no_room_is_told() -> None:
    """Ten a second: what does not fit into the deadline was not sent."""
    api = ScriptedApi()
    async with service_on(api, rates=Rates(track_per_s=10)) as service:
        began_s = now_s()
        told = await asyncio.gather(*(service.suppress(n, timeout_s=1.0) for n in range(30)), return_exceptions=True)

    busy = sum(isinstance(each, BusyError) for each in told)
    assert (busy + len(api.asked), now_s() - began_s < 1.2) == (30, True)
    assert 8 <= len(api.asked) <= 11


@fake_timed
async def test_the_line_has_an_end() -> None:
    """So memory stays flat whatever an application does."""
    async with service_on(ScriptedApi(latency_s=1)) as service:
        waiting = [asyncio.create_task(service.suppress(n, timeout_s=60)) for n in range(UNFINISHED_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="wait already"):
            await service.suppress("one too many")
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        await service.suppress("u-1")


@fake_timed
async def test_closing_ends_what_is_under_way() -> None:
    """Its callers are told, and so is who comes later."""
    async with service_on(ScriptedApi(latency_s=5)) as service:
        waiting = [asyncio.create_task(service.suppress(n)) for n in range(20)]
        await asyncio.sleep(1)
    told = await asyncio.gather(*waiting, service.suppress("late"), return_exceptions=True)

    assert {type(each) for each in told} == {UnavailableError}
