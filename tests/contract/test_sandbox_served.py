"""The sandbox on a real socket: what only a connection can show."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import orjson
import pytest

from schemas.errors import UnavailableError
from streams.sandbox.faults import Faults
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox, serve

IDENTIFY = {"type": "person", "action": "identify", "identifiers": {"id": "u-1"}, "attributes": {"text": "x" * 900}}
BATCH = {"batch": [IDENTIFY] * 400}
SERVE = """
from streams.sandbox.faults import Faults
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import serve
serve(host="127.0.0.1", port=0, options=SandboxOptions({options}))
"""


@contextlib.contextmanager
def sandbox_process(options: str = "") -> Iterator[tuple["subprocess.Popen[str]", str, str]]:
    """Yield a sandbox in a process of its own, the line that it says first, and its URL."""
    environment = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", SERVE.format(options=options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield process, line, line.removeprefix("sandbox: listening on ").strip()
        finally:
            process.kill()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Yield a client of a served sandbox."""
    with running_sandbox() as url, httpx.Client(base_url=url, auth=("site", "key"), timeout=5) as made:
        yield made


@pytest.mark.parametrize(("kind", "accepted"), [("reset_before", 0), ("reset_after", 400), ("hang", 0)])
def test_a_dropped_connection_has_no_answer(client: httpx.Client, kind: str, accepted: int) -> None:
    """The client sees the connection end without a byte; only `reset_after` has carried the request out."""
    client.put("/sandbox/faults", json={"rate": 1, "kinds": [kind], "hang_s": 0.1})
    # A reset that meets a client still sending reaches it as either, depending on who notices first.
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        client.post("/api/v2/batch", json=BATCH)
    state = client.get("/sandbox/state").json()

    assert (accepted, {kind: 1}, {"dropped": 1}) == (state["accepted"], state["faults"], state["requests"])


def test_a_hanging_request_ends_with_the_client(client: httpx.Client) -> None:
    """A client that gives up ends the hang, and nothing was carried out."""
    client.put("/sandbox/faults", json={"rate": 1, "kinds": ["hang"], "hang_s": 60})
    with pytest.raises(httpx.ReadTimeout):
        client.post("/api/v2/batch", json=BATCH, timeout=0.1)
    deadline = time.monotonic() + 5
    while not (state := client.get("/sandbox/state").json())["requests"] and time.monotonic() < deadline:
        time.sleep(0.01)

    assert (state["accepted"], state["requests"]) == (0, {"dropped": 1})


def test_a_fault_status_arrives_whole_for_a_large_request(client: httpx.Client) -> None:
    """An error is answered after the request was read, on a connection that stays usable."""
    client.put("/sandbox/faults", json={"rate": 1, "kinds": ["503"]})

    assert [client.post("/api/v2/batch", json=BATCH).status_code for _ in range(2)] == [503, 503]


def test_an_oversized_request_is_answered(client: httpx.Client) -> None:
    """A client that sends too much gets its 400, not a reset."""
    answer = client.post("/api/v2/batch", content=b" " * 2_000_000)

    assert (
        answer.status_code,
        answer.json()["errors"][0]["message"],
    ) == (400, "request body cannot be larger than 500000 bytes")


def test_latency_delays_the_answer() -> None:
    """Every answer waits for the latency that was asked for."""
    options = SandboxOptions(faults=Faults(latency_ms=100))
    with running_sandbox(options) as url, httpx.Client(base_url=url, auth=("site", "key")) as client:
        started = time.monotonic()
        client.get("/api/v1/accounts/region")

        assert time.monotonic() - started >= 0.1


def connections(client: httpx.Client) -> list[int]:
    """The number of the connection by which each request came."""
    return [orjson.loads(line)["connection"] for line in client.get("/sandbox/requests").text.splitlines()]


def test_requests_of_one_connection_are_known_as_such(client: httpx.Client) -> None:
    """Each connection has a number of its own."""
    for _ in range(2):
        client.post("/api/v2/batch", json=BATCH)
    httpx.post(f"{client.base_url}/api/v2/batch", json=BATCH, auth=("site", "key"))
    first, second, other = connections(client)

    assert first == second != other


def test_an_idle_connection_is_closed() -> None:
    """After the time that was asked for; the next request needs another one."""
    with (
        running_sandbox(SandboxOptions(keep_alive_s=0)) as url,
        httpx.Client(base_url=url, auth=("site", "key")) as client,
    ):
        for _ in range(2):
            client.post("/api/v2/batch", json=BATCH)
            time.sleep(0.05)  # for its end to arrive
        first, second = connections(client)

        assert first != second


def test_a_request_under_way_is_seen(client: httpx.Client) -> None:
    """One that hangs stands in the log without an end until it has one."""
    client.put("/sandbox/faults", json={"rate": 1, "kinds": ["hang"], "hang_s": 60})
    with pytest.raises(httpx.ReadTimeout):
        client.post("/api/v2/batch", json=BATCH, timeout=0.1)
    deadline = time.monotonic() + 5
    seen = [orjson.loads(client.get("/sandbox/requests").text)]
    while seen[-1]["ended_at"] is None and time.monotonic() < deadline:
        seen.append(orjson.loads(client.get("/sandbox/requests").text))

    assert (seen[-1]["status"], seen[-1]["fault"], seen[-1]["items"]) == (None, "hang", 400)
    assert seen[-1]["ended_at"] > seen[-1]["arrived_at"]


def test_a_client_that_leaves_in_the_middle_meets_no_fault(client: httpx.Client) -> None:
    """What has not arrived whole is neither applied nor drawn for."""
    client.put("/sandbox/faults", json={"rate": 1, "kinds": ["503"]})
    host, port = client.base_url.host, client.base_url.port
    assert port is not None
    with socket.create_connection((host, port)) as connection:
        connection.sendall(b"POST /api/v2/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    deadline = time.monotonic() + 5
    while not (state := client.get("/sandbox/state").json())["requests"] and time.monotonic() < deadline:
        time.sleep(0.01)

    assert (state["accepted"], state["faults"], state["requests"]) == (0, {}, {"dropped": 1})


def test_who_hung_up_before_being_heard_is_not_obeyed() -> None:
    """A sandbox that had no time for a request does not carry it out once its caller may have said something newer."""
    with sandbox_process() as (process, _, url):
        whole = httpx.Request("POST", f"{url}/api/v2/entity", json=IDENTIFY, headers={"Authorization": "Basic YTpi"})
        process.send_signal(signal.SIGSTOP)
        with socket.create_connection((whole.url.host, whole.url.port or 0)) as connection:
            head = "".join(f"{name}: {value}\r\n" for name, value in whole.headers.items())
            connection.sendall(b"POST /api/v2/entity HTTP/1.1\r\n" + head.encode() + b"\r\n" + whole.content)
        process.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + 5
        with httpx.Client(base_url=url) as client:
            while not (state := client.get("/sandbox/state").json())["requests"] and time.monotonic() < deadline:
                time.sleep(0.01)

    assert (state["accepted"], state["requests"]) == (0, {"dropped": 1})


def test_a_taken_port_is_said_to_be_taken() -> None:
    """Serving on a port that somebody has raises an error that names it."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(UnavailableError, match=f"port {port} on 127.0.0.1 is taken"):
            serve(host="127.0.0.1", port=port, options=SandboxOptions())


def test_a_foreign_address_is_refused() -> None:
    """An address that is none of this machine's cannot be served."""
    with pytest.raises(UnavailableError, match=r"cannot listen on 192\.0\.2\.1"), running_sandbox(host="192.0.2.1"):
        pass


def test_stopping_leaves_nothing_behind() -> None:
    """After the `with` nobody listens, and the thread is gone."""
    with running_sandbox() as url:
        httpx.get(f"{url}/sandbox/state")

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/sandbox/state")
    assert "sandbox" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_code_0(number: signal.Signals) -> None:
    """One line says where it listens; a signal ends it in time, whatever hangs, and says nothing more."""
    with sandbox_process('faults=Faults(rate=1, kinds=("hang",), hang_s=60)') as (process, line, url):
        with httpx.Client(base_url=url, auth=("site", "key")) as client, pytest.raises(httpx.ReadTimeout):
            client.get("/api/v1/accounts/region", timeout=0.5)
        process.send_signal(number)
        output, errors = process.communicate(timeout=10)

    assert line.startswith("sandbox: listening on http://127.0.0.1:")
    assert (process.returncode, output, errors) == (0, "", "")
