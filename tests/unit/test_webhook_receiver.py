"""What the receiver answers and stores, over a socket, in front of a Kafka that does as it is told."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from schemas.webhook import FAULT, STALE
from streams.settings import load_settings
from streams.webhooks.records import KEPT_BYTES, Draft
from streams.webhooks.room import Room
from tests.webhook_client import (
    KEY,
    Connection,
    ask,
    make_body,
    make_request,
    signature,
    signed_headers,
)
from tests.webhook_stage import BODY_BYTES_MAX, TOLERANCE_S, Stage, stage

ERASABLE = b"ada@example.com"


def headers_of(record: Draft) -> dict[str, object]:
    """As a mapping."""
    return dict(record.headers)


async def test_a_signed_webhook_is_taken_byte_for_byte() -> None:
    """Blanks and all, for the signature and whoever reads it later."""
    body = b" \n" + make_body() + b"\n "
    async with stage() as at:
        assert 200 == await ask(at.port, make_request(body))
        (record,) = at.writer.written

        assert (record.topic, record.key, record.value) == ("customerio-webhooks", b"42", body)
        assert headers_of(record) == {
            "cio.event_id": b"01E4C4CT6YDC7Y5M7FE1GWWPQJ",
            "cio.object_type": b"email",
            "cio.metric": b"sent",
            "cio.timestamp": b"1613063089",
        }
        assert at.count("cio_webhook_requests_total", status="200") == 1
        assert at.count("cio_webhook_confirm_seconds_count") == 1


async def test_the_prefix_of_a_signature_may_be_there() -> None:
    """Some receivers saw `v0=` before it."""
    body = make_body()
    told = signed_headers(body)
    async with stage() as at:
        assert 200 == await ask(
            at.port, make_request(body, told | {"X-CIO-Signature": f"v0={told['X-CIO-Signature']}"})
        )


@pytest.mark.parametrize("offset_s", [TOLERANCE_S + 10, -TOLERANCE_S - 10, 7 * 86_400])
async def test_a_stale_webhook_is_taken_and_flagged(offset_s: float) -> None:
    """A retry may carry its first timestamp, and a replay of somebody else's is known by its event id."""
    body = make_body()
    async with stage() as at:
        assert 200 == await ask(at.port, make_request(body, signed_headers(body, at_s=time.time() - offset_s)))
        assert headers_of(at.writer.written[0])[STALE] == b"true"
        assert at.count("cio_webhook_stale_total") == 1


@pytest.mark.parametrize("timestamp", ["", "soon", "1e9", "99999999999999999999", "9" * 400, "9" * 5_000, "²"])
async def test_a_signed_time_that_cannot_be_read_is_stale(timestamp: str) -> None:
    """It is theirs all the same."""
    body = make_body()
    told = {
        "X-CIO-Timestamp": timestamp,
        "X-CIO-Signature": signature(body, timestamp=timestamp) if timestamp.isascii() else "0" * 64,
    }
    async with stage() as at:
        status = await ask(at.port, make_request(body, told))

        assert status == (200 if timestamp.isascii() else 401)
        assert [headers_of(record)[STALE] for record in at.writer.written] == [b"true"] * timestamp.isascii()


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"\x1f\x8b\x08\x00compressed", b"{}", b'{"event_id": ""}'])
async def test_what_is_not_understood_is_taken_and_flagged(body: bytes) -> None:
    """It must not hold up what comes after it."""
    async with stage() as at:
        assert 200 == await ask(at.port, make_request(body))
        (record,) = at.writer.written

        assert (record.value, record.key, headers_of(record)) == (body, None, {FAULT: b"not_understood"})
        assert at.count("cio_webhook_faults_total", fault="not_understood") == 1


async def test_of_what_is_too_large_the_beginning_is_taken() -> None:
    """It would come again for seven days otherwise."""
    body = make_body(data={"content": "x" * (BODY_BYTES_MAX * 3)})
    async with stage() as at:
        assert 200 == await ask(at.port, make_request(body))
        (record,) = at.writer.written

        assert (record.value, headers_of(record)) == (body[:KEPT_BYTES], {FAULT: b"too_large"})
        assert (at.room.requests, at.room.bytes) == (0, 0)


async def test_what_the_topic_finds_too_large_is_taken_likewise() -> None:
    """Its limit is the cluster's, and may be below ours."""
    async with stage() as at:
        at.writer.outcomes = ["too_large"]

        assert 200 == await ask(at.port, make_request(make_body()))
        assert headers_of(at.writer.written[0]) == {FAULT: b"too_large"}


@pytest.mark.parametrize("outcome", ["unconfirmed", "full", "too_large"])
async def test_what_kafka_does_not_confirm_is_answered_503(outcome: str) -> None:
    """It comes again soon."""
    async with stage() as at:
        at.writer.outcomes = [outcome] * 2  # type: ignore[list-item]  # one of them, each time

        assert 503 == await ask(at.port, make_request(make_body()))
        assert at.count("cio_webhook_refused_total") == 1


async def test_before_kafka_is_found_it_is_503() -> None:
    """And not ready."""
    async with stage(is_open=False) as at:
        assert 503 == await ask(at.port, make_request(make_body()))
        assert at.count("cio_webhook_refused_total", cause="starting") == 1
        assert 503 == await ask(at.port, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert 200 == await ask(at.port, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")


async def test_an_unforeseen_fault_is_503_too() -> None:
    """A 500 would cost an hour."""
    async with stage() as at:
        at.writer.fault = ValueError("anything")

        assert 503 == await ask(at.port, make_request(make_body()))
        assert at.count("cio_webhook_refused_total", cause="unforeseen") == 1


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"X-CIO-Signature": "0" * 64},
        {"X-CIO-Timestamp": "1613063089"},
        {"X-CIO-Timestamp": "1613063089", "X-CIO-Signature": ""},
        {"X-CIO-Timestamp": "1613063089", "X-CIO-Signature": "0" * 64},
        {"X-CIO-Timestamp": "1613063089", "X-CIO-Signature": "\xff\xfe" * 32},
        {"X-CIO-Timestamp": "\xe9\xe9", "X-CIO-Signature": "v0="},
    ],
)
async def test_without_a_valid_signature_it_is_401(told: dict[str, str]) -> None:
    """Nothing is stored, and nothing of it is said back."""
    async with stage() as at, await Connection.open(at.port) as connection:
        connection.writer.write(make_request(ERASABLE, told))

        assert (401, b"") == await connection.answer()
        assert at.writer.written == []
        assert at.count("cio_webhook_signature_failures_total") == 1


@pytest.mark.parametrize("kept", [0, 1, 32, 63])
async def test_a_cut_signature_is_none(kept: int) -> None:
    """Whatever is left of it."""
    body = make_body()
    told = signed_headers(body)
    async with stage() as at:
        request = make_request(body, told | {"X-CIO-Signature": told["X-CIO-Signature"][:kept]})

        assert 401 == await ask(at.port, request)


async def test_a_signature_of_another_body_or_time_is_none() -> None:
    """Both are signed."""
    body = make_body()
    async with stage() as at:
        assert 401 == await ask(at.port, make_request(body + b" ", signed_headers(body)))
        assert 401 == await ask(at.port, make_request(body, signed_headers(body) | {"X-CIO-Timestamp": "1"}))


async def test_only_posts_are_taken() -> None:
    """And only at that path."""
    async with stage() as at, await Connection.open(at.port) as connection:
        body = make_body()
        assert 405 == await connection.ask(make_request(body, method="PUT"))
        assert 405 == await connection.ask(make_request(body, method="GET"))
        assert 404 == await connection.ask(make_request(body).replace(b"/customerio", b"/elsewhere"))
        assert 200 == await connection.ask(make_request(body))


async def test_beyond_the_room_it_is_503_at_once() -> None:
    """And the others are finished."""
    async with stage(room=Room(requests_max=2)) as at:
        at.writer.may_go.clear()
        waiting = [asyncio.create_task(ask(at.port, make_request(make_body()))) for _ in range(2)]
        await at.until_under_way(2)

        assert 503 == await ask(at.port, make_request(make_body()))
        at.writer.may_go.set()
        assert [200, 200] == await asyncio.gather(*waiting)
        assert at.count("cio_webhook_refused_total", cause="no_room") == 1


async def test_beyond_the_bytes_it_is_503() -> None:
    """And all that was counted is given back."""
    async with stage(room=Room(bytes_max=1_000)) as at:
        assert 503 == await ask(at.port, make_request(make_body(data={"content": "x" * 2_000})))
        assert 200 == await ask(at.port, make_request(make_body()))
        assert (at.room.requests, at.room.bytes) == (0, 0)


async def rotate(at: Stage, path: Path, *, old: str, new: str) -> list[int]:
    """Both keys are set, Customer.io changes over, the old one is taken out."""
    body, statuses = make_body(), []
    for keys, signing in ((old, old), (f"{old}\n{new}\n", old), (f"{old}\n{new}\n", new), (new, new)):
        path.write_text(keys)  # noqa: ASYNC240 - a tiny file
        statuses.append(await ask(at.port, make_request(body, signed_headers(body, key=signing))))
    statuses.append(await ask(at.port, make_request(body, signed_headers(body, key=old))))
    return statuses


async def test_a_key_rotates_without_a_refused_call(tmp_path: Path) -> None:
    """A file with both is heeded the moment that it is there, and the old key does not work for ever."""
    path = tmp_path / "key"
    path.write_text("old")
    async with stage(load_settings({"CUSTOMERIO_WEBHOOK_SIGNING_KEY_FILE": str(path)})) as at:
        assert [200, 200, 200, 200] == (await rotate(at, path, old="old", new="new"))[:4]
        await asyncio.sleep(1.05)  # so long a file's state is trusted
        body = make_body()

        assert 401 == await ask(at.port, make_request(body, signed_headers(body, key="old")))


async def test_webhooks_that_overlap_a_rotation_are_not_refused(tmp_path: Path) -> None:
    """Each that began with the old keys looks again; what is not kept comes again."""
    path = tmp_path / "key"
    path.write_text("old")
    bodies = [make_body(), make_body(), b"x" * (BODY_BYTES_MAX + 1)]
    async with (
        stage(load_settings({"CUSTOMERIO_WEBHOOK_SIGNING_KEY_FILE": str(path)})) as at,
        AsyncExitStack() as open_,
    ):
        lines = [await open_.enter_async_context(await Connection.open(at.port)) for _ in bodies]
        requests = [make_request(body, signed_headers(body, key="new")) for body in bodies]
        for line, request in zip(lines, requests, strict=True):
            line.writer.write(request[:-10])
        size = sum(map(len, bodies[:2])) - 20 + len(bodies[2]) - 10
        await at.until_bytes(size)
        path.write_text("old new")

        assert [200, 200, 503] == [await line.ask(request[-10:]) for line, request in zip(lines, requests, strict=True)]
        assert at.count("cio_webhook_refused_total", cause="new_key") == 1


async def test_a_slash_at_the_end_does_not_matter() -> None:
    """It is easily typed, and a 404 would cost an hour, again and again."""
    async with stage() as at:
        request = make_request(make_body())

        assert 200 == await ask(at.port, request.replace(b"/customerio ", b"/customerio/ "))
        assert 404 == await ask(at.port, request.replace(b"/customerio ", b"/customerio/x "))


async def test_several_keys_may_be_set() -> None:
    """Each is as good."""
    body = make_body()
    async with stage(load_settings({"CUSTOMERIO_WEBHOOK_SIGNING_KEY": f"{KEY} other"})) as at:
        assert [200, 200, 401] == [
            await ask(at.port, make_request(body, signed_headers(body, key=key))) for key in (KEY, "other", "third")
        ]


async def test_nothing_of_a_webhook_is_logged(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever becomes of it."""
    body = make_body(data={"recipient": ERASABLE.decode()})
    async with stage() as at:
        at.writer.outcomes = ["written", "unconfirmed"]
        for request in (make_request(body), make_request(body), make_request(body, {}), body):
            await ask(at.port, request)
        at.writer.fault = ValueError(body)
        await ask(at.port, make_request(body))
    said = caplog.text + "".join(capsys.readouterr())

    assert "unforeseen" in said
    assert [secret for secret in (ERASABLE.decode(), KEY, "01E4C4") if secret in said] == []
