"""What a sandbox stops before any call sees it: limits, credentials, region; over HTTP, without a network."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from starlette.types import ASGIApp

from streams.sandbox.app import create_app
from streams.sandbox.faults import Faults
from streams.sandbox.options import SandboxOptions
from streams.sandbox.rate_window import RateWindow
from streams.sandbox.world import World

REGION = "/api/v1/accounts/region"
BATCH = {"batch": [{"type": "person", "action": "identify", "identifiers": {"id": "u-1"}}] * 2}


class FakeClock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.5

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def make_app(clock: FakeClock, **options: Any) -> ASGIApp:  # noqa: ANN401 - options' own
    """Build a sandbox with a clock."""
    chosen = SandboxOptions(**options)
    return create_app(World(options=chosen), options=chosen, clock=clock)


@pytest.fixture
def clock() -> FakeClock:
    """Give a clock."""
    return FakeClock()


@pytest.fixture
async def client(clock: FakeClock) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a sandbox."""
    async with make_client(make_app(clock)) as made:
        yield made


def make_client(app: ASGIApp) -> httpx.AsyncClient:
    """Build a client."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox", auth=("site", "key"))


async def post(client: httpx.AsyncClient, count: int = 1) -> list[int]:
    """Send so many batches and return the statuses."""
    return [(await client.post("/api/v2/batch", json=BATCH)).status_code for _ in range(count)]


async def accepted(client: httpx.AsyncClient) -> int:
    """How many operations were accepted."""
    count: int = (await client.get("/sandbox/state")).json()["accepted"]
    return count


def test_a_window_slides() -> None:
    """In no second are more let through than the limit, wherever it begins; what was refused does not count."""
    window = RateWindow(1.0)
    let_through = [now / 100 for now in range(500) if window.admits(now / 100, 7)]

    assert len(let_through) == 5 * 7
    assert max(sum(start < each <= start + 1 for each in let_through) for start in let_through) <= 7


async def test_a_hard_limit_refuses_what_exceeds_it(client: httpx.AsyncClient, clock: FakeClock) -> None:
    """A 429 in the form of the App API, without Retry-After; a second later there is room again."""
    await client.put("/sandbox/faults", json={"rate_limit_per_s": 2})
    statuses = await post(client, 3)
    answer = await client.post("/api/v2/batch", json=BATCH)
    clock.now += 1.0

    assert statuses == [200, 200, 429]
    assert "retry-after" not in answer.headers
    assert answer.json() == {
        "errors": [{"detail": "rate limited to 2 requests per 1s (reference sandbox)", "status": "429"}]
    }
    assert await post(client, 3) == [200, 200, 429]
    assert (await client.get("/sandbox/state")).json()["faults"] == {"rate_limit": 3}


async def test_a_limit_can_be_cut_and_lifted_while_it_runs(client: httpx.AsyncClient) -> None:
    """What was let through a moment ago counts for the new limit, too."""
    await client.put("/sandbox/faults", json={"rate_limit_per_s": 20})
    before = await post(client, 5)
    await client.put("/sandbox/faults", json={"rate_limit_per_s": 2})

    assert before + await post(client) == [200] * 5 + [429]
    await client.put("/sandbox/faults", json={"rate_limit_per_s": None})
    assert await post(client, 3) == [200] * 3


@pytest.mark.parametrize(
    ("as_date", "expected"), [(False, "7"), (True, "Tue, 14 Nov 2023 22:13:28 GMT")], ids=["seconds", "date"]
)
async def test_a_refusal_may_say_when(client: httpx.AsyncClient, expected: str, *, as_date: bool) -> None:
    """Retry-After comes in seconds or as an HTTP date, which is never early."""
    await client.put(
        "/sandbox/faults", json={"rate_limit_per_s": 1, "retry_after_s": 7, "retry_after_as_date": as_date}
    )
    await post(client)

    assert (await client.post("/api/v2/batch", json=BATCH)).headers["retry-after"] == expected


async def test_a_soft_limit_drops_silently(client: httpx.AsyncClient, clock: FakeClock) -> None:
    """What exceeds it is answered as always and not applied; the region, which brings no data, is spared."""
    await client.put("/sandbox/faults", json={"soft_limit_per_s": 1})
    statuses = await post(client, 3)

    assert (statuses, await accepted(client)) == ([200] * 3, 2)
    assert (await client.get(REGION)).json()["region"] == "us"
    clock.now += 1.0
    await post(client)
    assert await accepted(client) == 4


async def test_a_soft_limit_lets_nobody_in(client: httpx.AsyncClient) -> None:
    """Wrong credentials are a 401 above it as below."""
    await client.put("/sandbox/faults", json={"soft_limit_per_s": 1})
    await client.put("/sandbox/account", json={"track_api_key": "another"})

    assert await post(client, 3) == [401] * 3


async def test_a_daily_quota_is_told_with_every_answer(client: httpx.AsyncClient, clock: FakeClock) -> None:
    """What is left is counted down; what exceeds it is a 429 without Retry-After, until a day has passed."""
    await client.put("/sandbox/faults", json={"daily_quota": 2, "retry_after_s": 7})
    answers = [await client.get(REGION) for _ in range(3)]
    clock.now += 86_400

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"2"}
    assert "retry-after" not in answers[-1].headers
    assert await post(client) == [200]


async def test_a_key_is_revoked_and_restored(client: httpx.AsyncClient) -> None:
    """While another key is expected ours is a 401 and nothing is applied; then all is well."""
    before = await post(client)
    shown = await client.put("/sandbox/account", json={"track_api_key": "another"})
    revoked = [*await post(client), (await client.get(REGION)).status_code]
    await client.put("/sandbox/account", json={"track_api_key": "key"})
    restored = await post(client)

    assert (before, revoked, restored) == ([200], [401, 401], [200])
    assert await accepted(client) == 4
    assert "another" not in shown.text + (await client.get("/")).text + (await client.get("/sandbox/account")).text


async def test_a_change_of_the_account_keeps_its_secret(client: httpx.AsyncClient) -> None:
    """What is left out keeps its value, also the one that is not shown."""
    await client.put("/sandbox/account", json={"track_api_key": "key"})
    await client.put("/sandbox/account", json={"site_id": "site"})
    account = (await client.get("/sandbox/account")).json()

    assert account == {
        "region": "us",
        "site_id": "site",
        "track_api_key": "**********",
        "app_api_key": None,
        "features_off": [],
        "wrong_region_status": 301,
    }
    assert await post(client) == [200]


@pytest.mark.parametrize("status", [301, 307, 308])
async def test_an_account_of_the_other_region_is_redirected(client: httpx.AsyncClient, status: int) -> None:
    """Every call but the one that tells the region, which is answered truly; nothing is applied."""
    await client.put("/sandbox/account", json={"region": "eu", "wrong_region_status": status})
    answer = await client.post("/api/v2/batch", json=BATCH)

    assert (answer.status_code, answer.headers["location"]) == (
        status,
        "https://track-eu.customer.io/api/v2/batch",
    )
    assert answer.json() == {"errors": [{"detail": "wrong datacenter", "status": str(status)}]}
    assert (await client.get(REGION)).json()["region"] == "eu"
    assert await accepted(client) == 0


async def test_a_us_account_may_simply_fail_in_the_eu(clock: FakeClock) -> None:
    """A plain 401, as older documentation has it."""
    async with make_client(make_app(clock, region="eu", account_region="us", wrong_region_status=401)) as client:
        assert await post(client) == [401]
        assert (await client.get(REGION)).json()["region"] == "us"


async def test_the_region_comes_before_limits_and_limits_before_faults(client: httpx.AsyncClient) -> None:
    """A redirect counts for no limit; a request above the limit meets no fault."""
    await client.put("/sandbox/faults", json={"rate": 1, "kinds": [500], "rate_limit_per_s": 1})
    await client.put("/sandbox/account", json={"region": "eu"})
    elsewhere = await post(client, 2)
    await client.put("/sandbox/account", json={"region": "us"})

    assert elsewhere + await post(client, 2) == [301, 301, 500, 429]


@pytest.mark.parametrize("body", [{"region": "mars"}, {"track_api_key": 5}, {"password": "x"}])
async def test_a_wrong_account_is_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    """What cannot be is named, and changes nothing."""
    answer = await client.put("/sandbox/account", json=body)

    assert answer.status_code == 400
    assert next(iter(body)) in answer.json()["error"]
    assert await post(client) == [200]


async def test_every_request_is_noted(client: httpx.AsyncClient, clock: FakeClock) -> None:
    """Arrival and end, what was asked and answered; our own pages are not among them."""
    await client.put("/sandbox/faults", json={"rate": 1, "kinds": [503], "paths": ["/api/v1"]})
    await client.post("/api/v2/batch", json=BATCH, headers={"x-retry-count": "1"})
    clock.now += 1
    await client.get(REGION)
    await client.post("/api/v2/batch", content=b"{")
    batch, region, broken = [orjson.loads(line) for line in (await client.get("/sandbox/requests")).text.splitlines()]
    headers = batch.pop("headers")

    assert batch == {
        "seq": 1,
        "arrived_at": 1_700_000_000.5,
        "ended_at": 1_700_000_000.5,
        "method": "POST",
        "path": "/api/v2/batch",
        "status": 200,
        "fault": None,
        "body_bytes": len(orjson.dumps(BATCH)),
        "items": 2,
        "connection": None,
    }
    assert headers["x-retry-count"] == "1"
    assert (region["status"], region["fault"], region["items"], region["body_bytes"]) == (503, "503", 0, 0)
    assert (broken["status"], broken["items"]) == (400, None)


async def test_no_credentials_are_noted(client: httpx.AsyncClient) -> None:
    """Neither ours nor a proxy's, nor cookies."""
    await client.get(REGION, headers={"Proxy-Authorization": "Basic secret", "Cookie": "secret"})
    noted = (await client.get("/sandbox/requests")).text.lower()

    assert '"host"' in noted
    assert "authorization" not in noted
    assert "secret" not in noted


async def test_requests_after_a_number_are_the_newer_ones(client: httpx.AsyncClient) -> None:
    """So that a test looks at its own part only."""
    await post(client, 3)
    newer = (await client.get("/sandbox/requests?after=2")).text.splitlines()

    assert [orjson.loads(line)["seq"] for line in newer] == [3]
    assert (await client.get("/sandbox/requests?after=x")).status_code == 400


async def test_arrivals_are_complete(client: httpx.AsyncClient, clock: FakeClock) -> None:
    """Each request's time, whatever became of it, one to a line; the last second's are counted."""
    await client.put("/sandbox/faults", json={"rate_limit_per_s": 1})
    for _ in range(3):
        await post(client)
        clock.now += 0.5
    clock.now -= 0.5
    arrivals = [float(line) for line in (await client.get("/sandbox/arrivals")).text.splitlines()]

    assert arrivals == [1_700_000_000.5, 1_700_000_001.0, 1_700_000_001.5]
    assert (await client.get("/sandbox/state")).json()["requests_last_second"] == 2


async def test_the_page_says_what_goes_wrong(clock: FakeClock) -> None:
    """In a sentence for each; nothing when all is well."""
    faults = Faults(
        rate=0.5, kinds=("503",), paths=("/api/v2",), containing="<u-1>", count=3, rate_limit_per_s=9, daily_quota=7
    )
    async with make_client(make_app(clock)) as client:
        assert "<p class=" not in (await client.get("/")).text
    options: dict[str, Any] = {"account_region": "eu", "site_id": "s", "track_api_key": "k", "faults": faults}
    async with make_client(make_app(clock, **options)) as client:
        page = (await client.get("/")).text

    assert "50% of the requests to /api/v2 that contain &lt;u-1&gt; meet 503, 3 more times" in page
    assert "more than 9 requests/s are refused" in page
    assert "more than 7 requests a day are refused" in page
    assert "only site id s is accepted" in page
    assert "only one Track API key is accepted" in page
    assert "the account is in eu, this host in us: 301" in page
