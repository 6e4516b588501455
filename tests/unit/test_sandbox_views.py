"""The sandbox's own pages and its faults over HTTP, without a network."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from streams.sandbox.app import create_app
from streams.sandbox.faults import Faults
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World

IDENTIFY = {"type": "person", "action": "identify", "identifiers": {"id": "u-1"}, "attributes": {"plan": "pro"}}


class FakeSleep:
    """Remembers how long it was asked to wait, and does not."""

    def __init__(self) -> None:
        self.waited_s: list[float] = []

    async def __call__(self, wait_s: float) -> None:
        """Note the wait."""
        self.waited_s.append(wait_s)


def make_client(*, sleep: FakeSleep | None = None, **options: Any) -> httpx.AsyncClient:  # noqa: ANN401 - options' own
    """Build a client of a new sandbox."""
    chosen = SandboxOptions(**options)
    app = create_app(World(options=chosen), options=chosen, clock=lambda: 1_700_000_000.5, sleep=sleep or FakeSleep())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox", auth=("site", "key"))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a sandbox that keeps its log."""
    async with make_client(keep_log=True) as made:
        yield made


async def test_a_fault_status_leaves_the_request_undone() -> None:
    """A drawn status is answered instead; a 429 carries the Retry-After that was set; our own pages are spared."""
    async with make_client(faults=Faults(rate=1, kinds=("429",), retry_after_s=3)) as client:
        answer = await client.post("/api/v2/batch", json={"batch": [IDENTIFY]})
        state = (await client.get("/sandbox/state")).json()

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert (state["accepted"], state["requests"], state["faults"]) == (0, {"429": 1}, {"429": 1})


@pytest.mark.parametrize(("kind", "media"), [("503", "text/html"), ("500", "application/json"), ("401", "application")])
async def test_a_fault_has_the_body_of_whoever_speaks(kind: str, media: str) -> None:
    """The proxy in front answers in HTML, the API in JSON."""
    async with make_client() as client:
        await client.put("/sandbox/faults", json={"rate": 1, "kinds": [kind]})
        answer = await client.post("/api/v2/entity", json=IDENTIFY)

    assert int(kind) == answer.status_code
    assert answer.headers["content-type"].startswith(media)


async def test_a_slow_request_is_carried_out_at_once_and_answered_late() -> None:
    """Latency delays every answer, slowness adds to it."""
    sleep = FakeSleep()
    async with make_client(sleep=sleep, faults=Faults(latency_ms=20)) as client:
        await client.post("/api/v2/entity", json=IDENTIFY)
        await client.put("/sandbox/faults", json={"rate": 1, "kinds": ["slow"], "slow_s": 2})
        await client.post("/api/v2/entity", json=IDENTIFY)

        assert (await client.get("/sandbox/state")).json()["accepted"] == 2
    assert sleep.waited_s == [0.02, 2.02]


async def test_a_reset_applies_before_or_after() -> None:
    """`reset_before` leaves the request undone, `reset_after` carries it out; without a server it is an exception."""
    accepted = []
    for kind in ("reset_before", "reset_after"):
        async with make_client() as client:
            await client.put("/sandbox/faults", json={"rate": 1, "kinds": [kind]})
            with pytest.raises(ConnectionResetError):
                await client.post("/api/v2/entity", json=IDENTIFY)
            accepted.append((await client.get("/sandbox/state")).json()["accepted"])

    assert accepted == [0, 1]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"rate": 2}', b'{"speed": 1}'])
async def test_wrong_faults_are_refused(client: httpx.AsyncClient, body: bytes) -> None:
    """A switch that cannot be read changes nothing and says why."""
    before = (await client.get("/sandbox/faults")).json()
    answer = await client.put("/sandbox/faults", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert before == (await client.get("/sandbox/faults")).json()


async def test_the_log_tells_the_order_of_applied_operations(client: httpx.AsyncClient) -> None:
    """One line per accepted operation, with the request it came by and what became of it."""
    event = {**IDENTIFY, "action": "event", "name": "sale", "id": "a" * 26, "timestamp": 5}
    await client.post("/api/v2/batch", json={"batch": [IDENTIFY, {"type": "robot"}, event]})
    await client.post("/api/v2/entity", json=event)
    log = [orjson.loads(line) for line in (await client.get("/sandbox/log")).text.splitlines()]

    assert [(entry["seq"], entry["request"], entry["ignored"]) for entry in log] == [
        (1, 1, False),
        (2, 1, False),
        (3, 2, True),
    ]
    assert log[2] == {
        "seq": 3,
        "request": 2,
        "received_at": 1_700_000_000.5,
        "type": "person",
        "action": "event",
        "identifier": {"id": "u-1"},
        "timestamp": 5,
        "applied": 3,
        "ignored": True,
        "why": "repeated",
        "attributes": {"plan": "pro"},
        "name": "sale",
        "id": "A" * 26,
    }


async def test_the_log_must_be_switched_on() -> None:
    """Without `keep_log` there is none, and the answer says how to get one."""
    async with make_client() as client:
        answer = await client.get("/sandbox/log")

    assert answer.status_code == 404
    assert "keep_log" in answer.json()["error"]


async def test_people_are_shown(client: httpx.AsyncClient) -> None:
    """A person is shown with identifiers, attributes and events, alone and in the list of all."""
    await client.post("/api/v2/entity", json=IDENTIFY)
    await client.post("/api/v1/customers/u-1/events", json={"name": "sale", "data": {"total": 1}, "timestamp": 9})
    person = (await client.get("/sandbox/people/u-1")).json()
    everybody = [orjson.loads(line) for line in (await client.get("/sandbox/people")).text.splitlines()]

    assert person["attributes"] == {"plan": "pro"}
    assert [(event["name"], event["timestamp"], event["attributes"]) for event in person["events"]] == [
        ("sale", 9, {"total": 1})
    ]
    assert [each["identifiers"]["id"] for each in everybody] == ["u-1"]


async def test_a_suppressed_person_is_said_to_be(client: httpx.AsyncClient) -> None:
    """Nobody is found under a suppressed id, and it is said why; the list has all blocked identifiers."""
    await client.put("/api/v1/customers/u-1", json={"email": "ada@example.com"})
    await client.post("/api/v1/customers/u-1/suppress")
    gone = await client.get("/sandbox/people/u-1")
    blocked = (await client.get("/sandbox/suppressed")).json()

    assert (gone.status_code, gone.json()["suppressed"]) == (404, True)
    assert blocked == {"email": "ada@example.com", "id": "u-1"}
    assert not (await client.get("/sandbox/people/u-2")).json()["suppressed"]


async def test_the_page_escapes_what_it_shows(client: httpx.AsyncClient) -> None:
    """The page shows what arrived, loads nothing from elsewhere, and never lets a value be markup."""
    name = "<script>alert(1)</script>"
    item = {**IDENTIFY, "identifiers": {"id": name}, "attributes": {name: name, "email": f"{name}@example.com"}}
    await client.post("/api/v2/entity", json=item)
    await client.post("/api/v2/entity", json={**IDENTIFY, "action": "event", "name": name})
    await client.put("/sandbox/faults", json={"rate": 1, "kinds": ["503"]})
    await client.post("/api/v2/entity", json=IDENTIFY)
    page = (await client.get("/")).text

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "fault 503" in page
    assert "http://" not in page
    assert "https://" not in page
