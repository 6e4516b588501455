"""Which spans there are, what belongs to what, and what is in them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from schemas.chunk import Chunk
from schemas.errors import FencedError
from schemas.trace_context import TraceContext
from streams.progress import Progress, work_for, worked_for
from streams.tracing.spans import RECORD_LINKS_MAX, Spans
from tests.builders import make_chunk, make_publication, track_client
from tests.unit.input_records import InputRecord


def traceparent(number: int, *, flags: str = "01") -> tuple[str, bytes]:
    """The header of somebody's span, another one for each number."""
    return "traceparent", f"00-{number:032x}-{number:016x}-{flags}".encode()


def record(*headers: tuple[str, bytes], partition: int = 0, offset: int = 0) -> InputRecord:
    """A record with marks where nothing may look."""
    return InputRecord(key=b"ada", value=b"ada@example.com", partition=partition, offset=offset, headers=headers)


class World:
    """Spans that are kept in memory; `draws` is what chance says."""

    def __init__(self, *, ratio: float = 0.5, draws: float = 0.9) -> None:
        self._kept = InMemorySpanExporter()
        provider = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.spans = Spans(provider.get_tracer("test"), ratio=ratio, group="group-1", chance=lambda: draws)

    @property
    def ended(self) -> dict[str, ReadableSpan]:
        """Those that have ended, by name."""
        return {each.name: each for each in self._kept.get_finished_spans()}

    @contextlib.contextmanager
    def working_on(self, *chunks: Chunk) -> Iterator[list[Progress]]:
        """Work on all of them in one task, as a request does that they share."""
        with contextlib.ExitStack() as stack:
            lanes = []
            for chunk in chunks:
                lane = Progress(of={"topic": chunk.topic, "partition": chunk.partition}, stage="test")
                work_for([lane])
                stack.enter_context(self.spans.chunk(chunk))
                lanes.append(lane)
            work_for(lanes)
            yield lanes

    async def request(self, handler: Any) -> httpx.Request:  # noqa: ANN401 - a transport's
        """Make one with a real client; what went out."""
        asked: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            response: httpx.Response = handler(request)
            return response

        client = track_client(transport=httpx.MockTransport(answer), traced=self.spans.request)
        await client.batch(b'{"batch":[]}')
        await client.close()
        return asked[0]


def ok(_: httpx.Request) -> httpx.Response:
    """Everything is accepted."""
    return httpx.Response(200, json={})


def linked(span: ReadableSpan) -> list[str]:
    """The traces that it links to."""
    return [format_trace_id(link.context.trace_id) for link in span.links]


def traces(*numbers: int) -> list[str]:
    """Their ids."""
    return [f"{number:032x}" for number in numbers]


@pytest.fixture(autouse=True)
def _nobody_is_worked_for() -> Iterator[None]:
    before = worked_for()
    yield
    work_for(before)


def test_a_chunk_is_a_trace_of_its_own_that_leads_to_those_of_its_records() -> None:
    """Each once, and only to those that are kept; what is malformed leads nowhere."""
    world = World()
    headers = [traceparent(1), traceparent(2, flags="00"), traceparent(1), ("traceparent", b"ada"), traceparent(3)]
    chunk = make_chunk([record(each, offset=offset) for offset, each in enumerate(headers)])
    with world.working_on(chunk):
        pass
    span = world.ended["process user-changes"]

    assert traces(1, 3) == linked(span)
    assert span.parent is None
    assert {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "user-changes",
        "messaging.destination.partition.id": "0",
        "messaging.batch.message_count": 5,
        "messaging.consumer.group.name": "group-1",
        "cio.first_offset": 0,
        "cio.last_offset": 4,
    } == dict(span.attributes or {})


@pytest.mark.parametrize(
    ("draws", "headers", "is_traced"),
    [
        (0.4, (), True),
        (0.6, (), False),
        (0.6, (traceparent(1),), True),
        (0.6, (traceparent(1, flags="00"),), False),
        (0.6, (("traceparent", b"ada"),), False),
    ],
)
def test_a_record_that_is_traced_decides_and_else_chance(
    draws: float, headers: Sequence[tuple[str, bytes]], *, is_traced: bool
) -> None:
    """With a ratio of a half."""
    world = World(draws=draws)
    with world.working_on(make_chunk([record(*headers)])):
        pass

    assert is_traced == bool(world.ended)


def test_a_span_leads_to_so_many_records_at_most() -> None:
    """However many a chunk has."""
    world = World()
    records = [record(traceparent(number + 1), offset=number) for number in range(2 * RECORD_LINKS_MAX)]
    with world.working_on(make_chunk(records)):
        pass

    assert RECORD_LINKS_MAX == len(world.ended["process user-changes"].links)


async def test_a_request_is_a_child_and_says_so_to_customer_io() -> None:
    """Its own span is the `traceparent` that goes out; nothing of what it carries is told."""
    world = World()
    with world.working_on(make_chunk([record(traceparent(1))])):
        asked = await world.request(ok)
    chunk, request = world.ended["process user-changes"], world.ended["POST /api/v2/batch"]

    assert chunk.context == request.parent
    sent = TraceContext.parse(asked.headers["traceparent"].encode())
    assert request.context
    assert sent
    assert (sent.trace_id, sent.span_id, sent.is_sampled) == (
        format_trace_id(request.context.trace_id),
        format_span_id(request.context.span_id),
        True,
    )
    assert {
        "http.request.method": "POST",
        "url.full": "https://track.example.com/api/v2/batch",
        "server.address": "track.example.com",
        "server.port": 443,
        "http.response.status_code": 200,
    } == dict(request.attributes or {})


async def test_a_request_that_chunks_share_is_found_from_each() -> None:
    """A child of the first; the other and it are linked both ways."""
    world = World()
    first = make_chunk([InputRecord(headers=[traceparent(1)])])
    other = make_chunk([InputRecord(topic="domain-events", headers=[traceparent(2)])])
    with world.working_on(first, other) as lanes:
        await world.request(ok)
    ids = [str(lane.of["trace_id"]) for lane in lanes]
    request = world.ended["POST /api/v2/batch"]

    assert request.context
    assert (ids[0], [ids[1]]) == (format_trace_id(request.context.trace_id), linked(request))
    assert [*traces(2), ids[0]] == linked(world.ended["process domain-events"])


@pytest.mark.parametrize(
    ("status", "attributes"),
    [(503, {"http.response.status_code": 503, "error.type": "503"}), (None, {"error.type": "ConnectError"})],
)
async def test_a_request_that_fails_says_how(status: int | None, attributes: dict[str, object]) -> None:
    """The status, or why there is none; never the text."""
    world = World()

    def fail(_: httpx.Request) -> httpx.Response:
        if status is None:
            raise httpx.ConnectError("ada@example.com")
        return httpx.Response(status, text="ada@example.com")

    with world.working_on(make_chunk([record(traceparent(1))])):
        await world.request(fail)
    span = world.ended["POST /api/v2/batch"]

    assert attributes.items() <= dict(span.attributes or {}).items()
    assert StatusCode.ERROR == span.status.status_code
    assert "ada@" not in span.to_json()


async def test_a_request_for_nobody_that_is_traced_is_as_it_always_was() -> None:
    """No span, and no header."""
    world = World(draws=0.9)
    with world.working_on(make_chunk([record()])):
        asked = await world.request(ok)

    assert ({}, False) == (world.ended, "traceparent" in asked.headers)


def test_a_number_in_a_path_is_not_in_the_name() -> None:
    """Names are few, whatever broadcasts there are."""
    world = World()

    async def send() -> None:
        client = track_client(transport=httpx.MockTransport(ok), traced=world.spans.request)
        await client.request("POST", "/v1/campaigns/12/triggers", b"{}")
        await client.close()

    with world.working_on(make_chunk([record(traceparent(1))])):
        asyncio.run(send())

    assert "POST /v1/campaigns/{id}/triggers" in world.ended


def test_a_transaction_is_a_child_of_the_first_chunk_in_it() -> None:
    """And says how many results it holds."""
    world = World()
    chunk = make_chunk([record(traceparent(1)), record(offset=1)])
    with world.working_on(chunk), world.spans.transaction([make_publication(chunk)]):
        pass
    span = world.ended["commit group-1"]

    assert world.ended["process user-changes"].context == span.parent
    assert 2 == (span.attributes or {})["messaging.batch.message_count"]


def test_what_ends_a_chunk_is_named_by_its_kind_alone() -> None:
    """An exception's text might quote a record."""
    world = World()
    with pytest.raises(FencedError), world.working_on(make_chunk([record(traceparent(1))])):
        raise FencedError("ada@example.com")
    span = world.ended["process user-changes"]

    assert "FencedError" == (span.attributes or {})["error.type"]
    assert "ada@" not in span.to_json()


def test_what_became_of_the_records_is_told_in_numbers() -> None:
    """By outcome and reason."""
    world = World()
    chunk = make_chunk([record(traceparent(1))])
    with world.working_on(chunk):
        world.spans.concluded(chunk, Counter({("delivered", None): 3, ("dead", "malformed"): 1}))
    span = world.ended["process user-changes"]

    assert [
        {"cio.outcome": "delivered", "cio.reason": "", "cio.records": 3},
        {"cio.outcome": "dead", "cio.reason": "malformed", "cio.records": 1},
    ] == [dict(event.attributes or {}) for event in span.events]
