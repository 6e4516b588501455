"""Messages and broadcasts of the direct service: each goes out once, or its caller is told that nobody knows."""

import asyncio
from typing import Any

import httpx
import pytest

from schemas.errors import (
    AmbiguousSendError,
    BusyError,
    InvalidInputError,
    RejectedError,
    StreamsError,
    UnauthorisedError,
    UnavailableError,
)
from streams.messaging import MessagingService, Rates
from streams.sandbox.app import create_app
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World
from tests.fake_time import fake_timed
from tests.messaging_world import ScriptedApi, service_on

QUEUED = (200, {"delivery_id": "d-1", "queued_at": 1})
RECEIPT: dict[str, Any] = {"identifiers": {"id": "u-1"}, "to": "ada@example.com", "transactional_message_id": 3}


async def send(service: MessagingService, **changes: Any) -> str:  # noqa: ANN401 - the endpoint's fields
    """Send a receipt."""
    return await service.send_transactional("email", **RECEIPT | changes)


@fake_timed
async def test_a_message_is_sent_as_the_endpoint_wants_it() -> None:
    """The answer is its delivery id; nothing of ours is in it."""
    api = ScriptedApi([QUEUED])
    async with service_on(api) as service:
        assert await send(service, message_data={"total": 42.5}, language="de") == "d-1"

    assert api.asked == [("/v1/send/email", RECEIPT | {"message_data": {"total": 42.5}, "language": "de"})]


@fake_timed
async def test_a_broadcast_runs_for_its_audience() -> None:
    """The answer is the trigger's id."""
    api = ScriptedApi([(200, {"id": 77})])
    async with service_on(api) as service:
        found = await service.trigger_broadcast(12, data={"code": "S"}, audience={"ids": ["u"]}, id_ignore_missing=True)

    assert found == "77"
    wanted = {"data": {"code": "S"}, "ids": ["u"], "id_ignore_missing": True}
    assert api.asked == [("/v1/campaigns/12/triggers", wanted)]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RejectedError),
        (403, RejectedError),
        (413, RejectedError),
        (401, UnauthorisedError),
        (429, BusyError),
        (500, AmbiguousSendError),
        (504, AmbiguousSendError),
    ],
)
def test_each_refusal_has_its_error_and_nothing_is_sent_twice(status: int, error: type[StreamsError]) -> None:
    """A 403 is about this message, a 5xx leaves it open whether it went out."""
    api = ScriptedApi([(status, {"meta": {"error": "no"}}, {"Retry-After": "60"})])

    @fake_timed
    async def run() -> None:
        async with service_on(api) as service:
            with pytest.raises(error):
                await send(service)

    run()
    assert [path for path, _ in api.asked] == ["/v1/send/email"]


@fake_timed
async def test_after_a_doubt_the_next_waits_for_a_harmless_answer() -> None:
    """So that an outage costs no more than what is under way."""
    api = ScriptedApi([(502, {}), (200, {"workspaces": []}), QUEUED])
    async with service_on(api) as service:
        with pytest.raises(AmbiguousSendError):
            await send(service)
        await send(service)

    assert [path for path, _ in api.asked] == ["/v1/send/email", "/v1/workspaces", "/v1/send/email"]


@pytest.mark.parametrize("timeout_s", [3, 60])
def test_no_answer_in_time_leaves_it_open(timeout_s: float) -> None:
    """Whether the request's own time is up, or the caller's; either way a harmless read goes before the next."""
    api = ScriptedApi(latency_s=1e6)

    @fake_timed
    async def run() -> None:
        async with service_on(api) as service:
            with pytest.raises(AmbiguousSendError):
                await asyncio.wait_for(send(service, timeout_s=timeout_s), 20)
            api.latency_s, api.answers = 0, lambda _: QUEUED
            await send(service)

    run()
    assert [path for path, _ in api.asked] == ["/v1/send/email", "/v1/workspaces", "/v1/send/email"]


@fake_timed
async def test_an_api_that_hangs_costs_one_send() -> None:
    """The next callers' harmless reads hang too: they are told at once, and nothing of theirs goes out."""
    api = ScriptedApi(latency_s=1e6)
    async with service_on(api) as service:
        with pytest.raises(AmbiguousSendError):
            await send(service, timeout_s=3)
        with pytest.raises(UnavailableError):
            await send(service, timeout_s=3)
        began_s = asyncio.get_running_loop().time()
        with pytest.raises(UnavailableError) as caught:
            await send(service, timeout_s=0.5)
        assert 0.5 < (caught.value.retry_after_s or 0) <= 2
        assert asyncio.get_running_loop().time() - began_s < 0.1

    assert [path for path, _ in api.asked] == ["/v1/send/email", "/v1/workspaces"]


@fake_timed
async def test_a_caller_that_is_cancelled_leaves_it_open_too() -> None:
    """Its message may have gone out."""
    api = ScriptedApi(latency_s=1e6)
    async with service_on(api) as service:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(send(service), 1)
        api.latency_s, api.answers = 0, lambda _: QUEUED
        await send(service)

    assert [path for path, _ in api.asked] == ["/v1/send/email", "/v1/workspaces", "/v1/send/email"]


@fake_timed
async def test_who_cannot_be_reached_got_nothing() -> None:
    """That is certain, so it is tried again within the deadline, and may be later."""
    api = ScriptedApi([(200, {"workspaces": []}), QUEUED])
    async with service_on(api, rates=Rates(send_per_s=100)) as service:
        api.is_down = True
        with pytest.raises(UnavailableError):
            await send(service)
        api.is_down = False
        api.script.insert(0, (200, {"workspaces": []}))
        await asyncio.sleep(30)
        assert await send(service) == "d-1"


@fake_timed
async def test_what_breaks_a_rule_is_not_sent() -> None:
    """Of messages and broadcasts."""
    api = ScriptedApi()
    async with service_on(api) as service:
        with pytest.raises(InvalidInputError, match="needs exactly one of id, email and cio_id"):
            await send(service, identifiers={})
        with pytest.raises(InvalidInputError, match="more than 15 recipients"):
            await send(service, to=", ".join(f"u{n}@example.com" for n in range(16)))
        with pytest.raises(InvalidInputError, match="does not fit"):
            await service.trigger_broadcast(12, id_ignore_missing=True)

    assert api.asked == []


@pytest.mark.parametrize("rates", [Rates(send_per_s=1), Rates(broadcast_per_s=1)])
def test_a_key_that_is_not_taken_is_told_on_entering(rates: Rates) -> None:
    """Where no Track API tells the region; what cannot be known yet is no hindrance."""

    @fake_timed
    async def run() -> None:
        with pytest.raises(UnauthorisedError, match="is it this region's"):
            async with service_on(ScriptedApi([(401, {})]), rates=rates):
                pass
        async with service_on(ScriptedApi([(503, {})]), rates=rates):
            pass

    run()


@fake_timed
async def test_keys_of_repeats_are_refused() -> None:
    """Who gives one expects that a repeat is recognised."""
    api = ScriptedApi()
    async with service_on(api) as service:
        with pytest.raises(InvalidInputError, match="message_id: only the queued path"):
            await send(service, message_id="same")
        with pytest.raises(InvalidInputError, match="trigger_id: only the queued path"):
            await service.trigger_broadcast(12, trigger_id="same")  # type: ignore[arg-type]  # the fault

    assert api.asked == []


async def test_the_sandbox_has_what_was_sent() -> None:
    """As the person would get it."""
    options = SandboxOptions()
    app = create_app(World(options=options), options=options)
    transport = httpx.ASGITransport(app)
    async with service_on(transport) as service:
        await service.identify("u-1", email="ada@example.com")
        content: dict[str, Any] = {"body": "Hi", "subject": "S", "from": "shop@example.com"}
        delivery_id = await send(service, transactional_message_id=None, **content)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        outbox = (await http.get("/sandbox/outbox", headers={"Accept": "application/json"})).text

    assert delivery_id in outbox
