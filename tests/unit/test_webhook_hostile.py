"""Clients that mean no good, or cannot do better, over a socket: slow ones, odd HTTP, more than there is room for."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from streams.webhooks import protocol, serve
from streams.webhooks.room import Room
from tests.webhook_client import Connection, ask, make_body, make_request, signed_headers
from tests.webhook_stage import BODY_BYTES_MAX, stage


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits, shorter."""
    monkeypatch.setattr(protocol, "ARRIVE_S", 0.3)
    monkeypatch.setattr(protocol, "EXCHANGE_S", 5.0)


@pytest.mark.parametrize("sent", [b"P", b"POST /webhooks", make_request(make_body())[:-20]])
async def test_who_does_not_get_on_is_cut(sent: bytes) -> None:
    """Whether a byte comes, half a head, or half a body."""
    async with stage() as at, await Connection.open(at.port) as connection:
        connection.writer.write(sent)

        assert 0 == await connection.status()
        assert at.count("cio_webhook_connections_cut_total", cause="slow") == 1
        assert (at.writer.written, at.room.requests, at.room.bytes) == ([], 0, 0)


async def test_who_sends_nothing_has_a_kept_connections_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be connected ahead of its first webhook."""
    monkeypatch.setattr(serve, "KEEP_ALIVE_S", 1)
    async with stage() as at, await Connection.open(at.port) as early, await Connection.open(at.port) as never:
        await asyncio.sleep(0.7)

        assert 200 == await early.ask(make_request(make_body()))
        assert 0 == await never.status()
        assert at.count("cio_webhook_connections_cut_total") == 0


async def test_dripping_does_not_buy_time() -> None:
    """The whole request has a limit, not each byte of it."""
    async with stage() as at, await Connection.open(at.port) as connection:
        answer = asyncio.create_task(connection.status())
        for byte in make_request(make_body()):
            if answer.done() or connection.writer.is_closing():
                break
            connection.writer.write(bytes([byte]))
            await asyncio.sleep(0.01)

        assert 0 == await answer
        assert at.writer.written == []


async def test_a_second_request_has_its_own_time() -> None:
    """An idle connection is no slow one, and one that is used again may not be slow either."""
    async with stage() as at, await Connection.open(at.port) as connection:
        assert 200 == await connection.ask(make_request(make_body()))
        await asyncio.sleep(0.7)
        assert 200 == await connection.ask(make_request(make_body()))
        assert 0 == await connection.ask(b"POST /webhooks/customerio HTTP/1.1\r\n")


async def test_requests_in_one_go_are_answered_in_their_order() -> None:
    """HTTP pipelining."""
    bodies = [make_body(event_id=f"e{number}") for number in range(5)]
    async with stage() as at, await Connection.open(at.port) as connection:
        connection.writer.write(b"".join(map(make_request, bodies[:3])) + make_request(b"", {}))

        assert [200, 200, 200, 401] == [await connection.status() for _ in range(4)]
        assert bodies[:3] == [record.value for record in at.writer.written]


async def test_the_length_need_not_be_known() -> None:
    """A chunked body is a body."""
    body = make_body()
    told = signed_headers(body) | {"Transfer-Encoding": "chunked"}
    head = make_request(b"", told).replace(b"Content-Length: 0\r\n", b"")
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:10], body[10:])) + b"0\r\n\r\n"
    async with stage() as at:
        assert 200 == await ask(at.port, head + chunks)
        assert [body] == [record.value for record in at.writer.written]


@pytest.mark.parametrize(
    "told",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "\xe9\xff"},
        {"Content-Encoding": "gzip"},
        {"Expect": "100-continue"},
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Connection": "close"},
    ],
)
async def test_other_headers_do_not_matter(told: dict[str, str]) -> None:
    """The signature does; a body is never decompressed."""
    body = make_body()
    async with stage() as at, await Connection.open(at.port) as connection:
        status = await connection.ask(make_request(body, signed_headers(body) | told))
        if status == 100:
            status = await connection.status()

        assert status == 200
        assert [body] == [record.value for record in at.writer.written]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        make_request(make_body(), {"X-CIO-Signature": "a\r\n folded"}),
        make_request(make_body(), {"X-CIO-Signature": "a\rb"}),
        make_request(make_body(), {"X-CIO-Signature": "a\x00b"}),
        make_request(make_body(), {"X-CIO-Timestamp : ": "1"}),
        make_request(make_body(), {"Content-Length": "-1"}),
        make_request(make_body(), {"Content-Length": "99", "content-length": "98"}),
        make_request(make_body(), {"Filler": "x" * 20_000}),
    ],
)
async def test_what_is_no_http_is_400_or_cut_and_stores_nothing(request_bytes: bytes) -> None:
    """Injected headers, two lengths, a head without end."""
    async with stage() as at:
        assert await ask(at.port, request_bytes) in {0, 400, 401}
        assert at.writer.written == []
        assert 200 == await ask(at.port, make_request(make_body()))


async def test_a_header_that_is_there_twice_counts_for_nothing() -> None:
    """Nobody knows which one counts."""
    body = make_body()
    told = signed_headers(body)
    async with stage() as at:
        request = make_request(body, told | {"x-cio-signature": "0" * 64})

        assert 401 == await ask(at.port, request)
        assert at.writer.written == []


async def test_a_huge_unsigned_body_costs_no_memory() -> None:
    """It is read to its end, for the sake of those who may still be sending, and forgotten."""
    body = b"x" * (BODY_BYTES_MAX * 50)
    async with stage() as at, await Connection.open(at.port) as connection:
        assert 401 == await connection.ask(make_request(body, signed_headers(b"")))
        assert 401 == await connection.ask(make_request(body, {}))
        assert (at.writer.written, at.room.bytes) == ([], 0)
        assert 200 == await connection.ask(make_request(make_body()))


async def test_a_client_that_leaves_leaves_nothing() -> None:
    """In the middle of a body, or while Kafka is asked."""
    async with stage() as at:
        for request, here in ((make_request(make_body())[:-5], 0), (make_request(make_body()), 1)):
            at.writer.may_go.clear()
            async with await Connection.open(at.port) as connection:
                connection.writer.write(request)
                await at.until_held(requests=here)
            at.writer.may_go.set()
            await at.until_under_way(0)
        await at.until_held(requests=0, is_empty=True)


async def test_beyond_the_connections_idle_ones_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for nothing goes first; where all are busy, the newcomer does."""
    monkeypatch.setattr(protocol, "CONNECTIONS_MAX", 1)
    request = make_request(make_body())
    async with stage() as at, await Connection.open(at.port) as idle:
        assert 200 == await idle.ask(request)
        at.writer.may_go.clear()
        async with await Connection.open(at.port) as busy:
            busy.writer.write(request)
            await at.until_under_way(1)

            assert 0 == await idle.status()
            assert 0 == await ask(at.port, request)
            at.writer.may_go.set()
            assert 200 == await busy.status()


FORGED = {"X-CIO-Timestamp": "1", "X-CIO-Signature": "0" * 64}


async def test_slow_strangers_shut_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold neither requests nor bytes that others need, whether their signatures could be ones or not."""
    monkeypatch.setattr(protocol, "ARRIVE_S", 5.0)
    body = b"x" * 1_000
    async with stage(room=Room(requests_max=1, bytes_max=2_000)) as at, AsyncExitStack() as strangers:
        for told in (FORGED, FORGED, FORGED, FORGED | {"X-CIO-Signature": "0"}):
            stranger = await strangers.enter_async_context(await Connection.open(at.port))
            stranger.writer.write(make_request(body, told)[:-100])
        await at.until_held(requests=0)

        for _ in range(3):
            assert 200 == await ask(at.port, make_request(make_body()))


async def test_beyond_the_connections_the_slowest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the newcomer."""
    monkeypatch.setattr(protocol, "ARRIVE_S", 5.0)
    monkeypatch.setattr(protocol, "CONNECTIONS_MAX", 2)
    part = make_request(b"x" * 1_000, FORGED)[:-100]
    async with stage() as at, await Connection.open(at.port) as first, await Connection.open(at.port) as second:
        first.writer.write(part)
        await at.until_held(requests=0)
        second.writer.write(part)
        await asyncio.sleep(0.1)

        assert 200 == await ask(at.port, make_request(make_body()))
        assert 0 == await first.status()
        second.writer.write(b"x" * 100)
        assert 401 == await second.status()
