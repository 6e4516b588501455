"""A record's trace through a worker: to its chunk, the request, its result, its letter, the replay."""

import time
from pathlib import Path
from typing import Final

import httpx
from confluent_kafka import Producer

from streams.kafka.clients import librdkafka_config
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.faults import evidence
from tests.integration.dlq_stage import dlq
from tests.integration.worker_process import WorkerProcess, environment
from tests.otlp_collector import Collected, collector

GOOD: Final = "0af7651916cd43dd8448eb211c80319c"  # pragma: allowlist secret - made up
BAD: Final = "11111111111111111111111111111111"
WAIT_S: Final = 30.0
SELDOM: Final = "0.000000001"  # whoever is traced is so because of the records


def parent(trace_id: str) -> tuple[str, bytes]:
    """The header of a publisher whose trace is kept."""
    return "traceparent", f"00-{trace_id}-b7ad6b7169203331-01".encode()


def publish(settings: Settings) -> None:
    """A good change and a broken one, each of a trace of its own."""
    producer = Producer(librdkafka_config(settings))
    topic, good = settings.topic("user-changes"), b'{"type": "user.upserted", "user": {"id": "ada", "plan": "pro"}}'
    producer.produce(topic, good, b"ada", 0, headers=[parent(GOOD), ("tracestate", b"a=b")])
    producer.produce(topic, b"{", b"ada", 0, headers=[("mine", b"x"), parent(BAD)])
    assert producer.flush(WAIT_S) == 0


def read(settings: Settings, name: str) -> list[evidence.Output]:
    """All that is on a topic of ours."""
    return list(evidence.read_committed(librdkafka_config(settings), settings.topic(name), 1))


def until_there(settings: Settings, name: str, count: int) -> list[evidence.Output]:
    """All that is on it, once it is so much."""
    until_s = time.monotonic() + WAIT_S
    while len(found := read(settings, name)) < count:
        assert time.monotonic() < until_s, f"{len(found)} on {name}"
        time.sleep(0.1)
    return found


def links(collected: Collected, name: str) -> list[set[str]]:
    """To which traces the spans of this name lead."""
    return [{link.trace_id.hex() for link in span.links} for span in collected.named(name)]


def test_a_trace_leads_through_the_worker(settings_factory: SettingsFactory, tmp_path: Path) -> None:
    """From the header of a record to the spans and to all that is written of it; exported by the end."""
    settings = settings_factory(topic_partitions=1)
    with running_sandbox(SandboxOptions()) as url, collector() as collected:
        variables = environment(
            settings, url, TRACE_SAMPLE_RATIO=SELDOM, OTEL_EXPORTER_OTLP_ENDPOINT=collected.url, DRAIN_S="1"
        )
        with WorkerProcess(variables, tmp_path / "log") as worker:
            worker.wait_until_it_says("partitions assigned")
            publish(settings)
            until_there(settings, "customerio-results", 2)
            dlq(settings, "replay", "--all", "--yes")
            results = until_there(settings, "customerio-results", 3)
            letters = until_there(settings, "customerio-dlq", 2)
            assert worker.stop() == 0
            lines = worker.lines()
        sent = httpx.get(f"{url}/sandbox/requests", trust_env=False).text

    assert [("traceparent", "tracestate"), ("traceparent",), ("traceparent",)] == sorted(
        (tuple(name for name, _ in each.headers) for each in results), key=len, reverse=True
    )
    assert {parent(GOOD), parent(BAD)} == {each.headers[0] for each in results}
    assert [True, True] == [("mine", b"x") in each.headers and parent(BAD) in each.headers for each in letters]
    assert {GOOD, BAD} == set().union(*links(collected, f"process {settings.topic('user-changes')}"))
    assert [{BAD}] == links(collected, f"process {settings.topic('customerio-replay')}")
    (request,) = collected.named("POST /api/v2/batch")
    chunk = next(span for span in collected.spans if span.span_id == request.parent_span_id)
    assert GOOD in {link.trace_id.hex() for link in chunk.links}
    assert f"00-{request.trace_id.hex()}-{request.span_id.hex()}" in sent
    commits = collected.named(f"commit {settings.app_id}")
    assert chunk.span_id in {span.parent_span_id for span in commits}
    assert chunk.trace_id.hex() in {line.get("trace_id") for line in lines if line["event"] == "chunk concluded"}
