"""A worker process on a real Kafka before a sandbox that goes wrong: publishes, sets faults, counts what came of it."""

import contextlib
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import httpx
import orjson
from confluent_kafka import Message, Producer

from streams.kafka.clients import librdkafka_config
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.faults import evidence
from tests.integration.worker_process import WorkerProcess, environment

READY: Final = "partitions assigned"


@dataclass(slots=True, kw_only=True)
class Stage:
    """`published` counts the records that Kafka has acknowledged."""

    settings: Settings
    worker: WorkerProcess
    sandbox: httpx.Client
    producer: Producer
    published: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def fault(self, **faults: Any) -> None:  # noqa: ANN401 - the switch's own fields
        """From now on requests go wrong so; nothing given ends it."""
        self.sandbox.put(
            "/sandbox/faults", json={"rate": 0.0, "rate_limit_per_s": None, "retry_after_s": None, **faults}
        ).raise_for_status()

    def publish(self, count: int, *, user_id: str | None = None) -> None:
        """Publish so many changes, each of a person of its own, or all of `user_id`."""
        topic = self.settings.topic("user-changes")
        for _ in range(count):
            person = user_id or f"u-{next(self._numbers)}"
            value = orjson.dumps({"type": "user.upserted", "user": {"id": person, "plan": "pro"}})
            self.producer.produce(topic, value, person.encode(), on_delivery=self._acknowledged)
        assert self.producer.flush(30) == 0

    def _acknowledged(self, error: object, _: Message) -> None:
        assert error is None
        self.published += 1

    @contextlib.contextmanager
    def traffic(self, per_s: float) -> Iterator[None]:
        """Publish steadily meanwhile."""
        ends = threading.Event()

        def run() -> None:
            while not ends.wait(0.5):
                self.publish(round(per_s / 2))

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            ends.set()
            thread.join()

    def outcomes(self) -> Counter[str]:
        """How many records came to what; asserts that none has two results."""
        results = [orjson.loads(value) for value in self._results()]
        places = Counter((each["source"]["partition"], each["source"]["offset"]) for each in results)
        assert max(places.values(), default=1) == 1, "a record has two results"
        return Counter(each["reason"] or each["outcome"] for each in results)

    def _results(self) -> Iterator[bytes]:
        config, topic = librdkafka_config(self.settings), self.settings.topic("customerio-results")
        for output in evidence.read_committed(config, topic, self.settings.topic_partitions):
            yield output.value or b""

    def metric(self, name: str) -> float:
        """The sum of a metric of the worker over its labels."""
        lines = self._http("/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{name}[ {{]", line))

    def ready(self) -> dict[str, Any]:
        """What the worker says of itself; it must say 200."""
        answer = self._http("/readyz")
        assert answer.status_code == 200
        return cast("dict[str, Any]", answer.json())

    def _http(self, path: str) -> httpx.Response:
        url = next(line["url"] for line in self.worker.lines() if line["event"] == "health and metrics")
        return httpx.get(url + path, trust_env=False, timeout=10)

    def breaker(self) -> tuple[str, str]:
        """Its state and reason, as the worker tells."""
        track = self.ready()["apis"]["track"]
        return track["state"], track["reason"]

    def wait_until_concluded(self, seconds: float) -> float:
        """Wait for a result for each record; how long that took."""
        return self.worker.wait_for(lambda: self.metric("cio_records_total") >= self.published, seconds)

    def arrivals(self, since_s: float) -> list[float]:
        """When requests with data arrived after this moment (unix seconds)."""
        lines = self.sandbox.get("/sandbox/requests").text.splitlines()
        seen = [orjson.loads(line) for line in lines]
        return [each["arrived_at"] for each in seen if each["arrived_at"] >= since_s]


@contextlib.contextmanager
def troubled_stage(settings: Settings, folder: Path, **environ: str) -> Iterator[Stage]:
    """Start a worker and wait until it works."""
    producer = Producer(librdkafka_config(settings) | {"linger.ms": 5})
    with (
        running_sandbox() as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as sandbox,
        WorkerProcess(environment(settings, url, **environ), folder / "worker.log") as worker,
    ):
        worker.wait_until_it_says(READY)
        yield Stage(settings=settings, worker=worker, sandbox=sandbox, producer=producer)
