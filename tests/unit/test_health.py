"""What probes and Prometheus see of a worker."""

import socket

import httpx
import pytest
from prometheus_client import CONTENT_TYPE_LATEST

from schemas.errors import UnavailableError
from streams.background import alongside
from streams.health import HealthServer, bind, create_health_app

ANSWERS = {"live": True, "ready": True}


@pytest.fixture
def states() -> dict[str, bool]:
    """What the worker says of itself, for a test to change."""
    return dict(ANSWERS)


@pytest.fixture
def client(states: dict[str, bool]) -> httpx.AsyncClient:
    """A client of the app, without a socket."""
    app = create_health_app(
        is_live=lambda: (states["live"], {"live": states["live"], "seconds_since_poll": 1.5}),
        is_ready=lambda: (states["ready"], {"ready": states["ready"]}),
        metrics=lambda: b"cio_ready 1.0\n",
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker")


@pytest.mark.parametrize(("path", "state"), [("/livez", "live"), ("/readyz", "ready")])
@pytest.mark.parametrize(("is_good", "status"), [(True, 200), (False, 503)])
async def test_a_probe_tells_its_own_state(
    client: httpx.AsyncClient, states: dict[str, bool], *, path: str, state: str, is_good: bool, status: int
) -> None:
    """200 or 503 by its state alone, with the reason in the body."""
    states |= dict.fromkeys(states, not is_good) | {state: is_good}
    async with client:
        answer = await client.get(path)

    assert (answer.status_code, answer.json()[state]) == (status, is_good)


async def test_metrics_are_served_as_prometheus_wants_them(client: httpx.AsyncClient) -> None:
    """With the content type that names the format's version."""
    async with client:
        answer = await client.get("/metrics")

    assert (answer.content, answer.headers["content-type"]) == (b"cio_ready 1.0\n", CONTENT_TYPE_LATEST)


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/livez", 405), ("GET", "/", 404)])
async def test_nothing_else_is_served(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    """Nothing can be changed from here."""
    async with client:
        assert (await client.request(method, path)).status_code == status


def test_a_taken_port_is_said_so() -> None:
    """In one line that names it and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(
            UnavailableError, match=rf"HTTP_HOST 127\.0\.0\.1, HTTP_PORT {port} cannot be had .*: set others"
        ):
            bind("127.0.0.1", port)


def test_an_address_of_nobody_here_is_said_so() -> None:
    """As a taken port is."""
    with pytest.raises(UnavailableError, match=r"192\.0\.2\.1"):
        bind("192.0.2.1", 0)


async def test_it_serves_on_the_port_it_was_given() -> None:
    """Port 0 took a free one; cancelling ends it and frees the port."""
    app = create_health_app(is_live=lambda: (True, {}), is_ready=lambda: (True, {}), metrics=lambda: b"")
    listener = bind("127.0.0.1", 0)
    listener.listen()
    host, port = listener.getsockname()
    url = f"http://{host}:{port}/livez"
    async with (
        alongside(HealthServer(app, listener).run()),
        httpx.AsyncClient(timeout=5, trust_env=False) as client,
    ):
        assert (await client.get(url)).status_code == 200

    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)
