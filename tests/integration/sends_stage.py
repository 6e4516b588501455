"""Messages on a real Kafka before the sandbox, by worker processes that may be killed; what each one came to."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from confluent_kafka import Producer

from schemas.record import Header
from streams.kafka.clients import librdkafka_config
from streams.sandbox.faults import Faults
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.faults import evidence
from tests.integration.worker_process import WorkerProcess, environment

WAIT_S: Final = 60.0
POLL_S: Final = 0.05
SEND_PATH: Final = "/v1/send/"
_FREE: Final = {"app_limit_per_s": 0, "broadcast_every_s": 0.0}


class SendsStage:
    """Publishes, and reads what workers and Customer.io have of it; `partitions` is that of the settings."""

    def __init__(self, settings: Settings, url: str, folder: Path) -> None:
        self.published = 0
        self._settings = settings
        self._url = url
        self._folder = folder
        self._kafka = librdkafka_config(settings)
        self._producer = Producer(self._kafka | {"linger.ms": 200})  # what is published together is fetched together

    @contextmanager
    def worker(
        self, name: str, *, command: Sequence[str] = ("streams", "worker"), **more: str
    ) -> Iterator[WorkerProcess]:
        """Let one work, and kill it."""
        own = {"CUSTOMERIO_APP_API_KEY": "key", "CUSTOMERIO_APP_URL": self._url}
        own |= {"RETRY_BACKOFF_S": "0.1", "DRAIN_S": "2", "BROADCAST_PER_S": "10"}
        told = environment(self._settings, self._url, **(own | more))
        with WorkerProcess(told, self._folder / f"{name}.log", command=command) as worker:
            worker.wait_until_it_says("partitions assigned")
            yield worker

    def publish(
        self, topic: str, key: str, value: object, *, partition: int = 0, headers: Sequence[Header] = ()
    ) -> None:
        """Put one record on a partition."""
        raw = value if isinstance(value, bytes) else orjson.dumps(value)
        self._producer.produce(self._settings.topic(topic), raw, key, partition, headers=list(headers))
        self.published += 1

    def message(self, message_id: str, user_id: str, *, partition: int = 0, **fields: object) -> None:
        """Publish a message that carries its id to the outbox."""
        value = {"message_id": message_id, "channel": "email", "to": "ada@example.com", "transactional_message_id": 3}
        value |= {"identifiers": {"id": user_id}, "message_data": {"message_id": message_id}, **fields}
        self.publish("transactional-messages", user_id, value, partition=partition)

    def flush(self) -> None:
        """Return when Kafka has all that was published."""
        assert self._producer.flush(WAIT_S) == 0

    def fault(self, kind: str, **more: object) -> None:
        """From now on sends go wrong so."""
        self._put({"rate": 1.0, "kinds": [kind], "paths": [SEND_PATH], **_FREE, **more})

    def repair(self, **more: object) -> None:
        """From now on everything is taken."""
        self._put({"rate": 0.0, **_FREE, **more})

    def _put(self, faults: dict[str, object]) -> None:
        httpx.put(f"{self._url}/sandbox/faults", json=faults, trust_env=False).raise_for_status()

    def requests(self, path: str = SEND_PATH) -> list[dict[str, Any]]:
        """Those that came to the sandbox under this path."""
        lines = httpx.get(f"{self._url}/sandbox/requests", trust_env=False).text.splitlines()
        return [each for each in map(orjson.loads, lines) if each["path"].startswith(path)]

    def outbox(self) -> list[dict[str, Any]]:
        """Every message that went out."""
        return [
            orjson.loads(line) for line in httpx.get(f"{self._url}/sandbox/outbox", trust_env=False).text.splitlines()
        ]

    def sent(self) -> Counter[str]:
        """How often each message went out."""
        return Counter(str(each["data"]["message_id"]) for each in self.outbox() if each["data"])

    def letters(self) -> list[evidence.Output]:
        """All dead letters."""
        return list(self._read("customerio-dlq"))

    def results(self) -> list[dict[str, Any]]:
        """All results."""
        return [orjson.loads(each.value or b"{}") for each in self._read("customerio-results")]

    def _read(self, topic: str) -> Iterator[evidence.Output]:
        return evidence.read_committed(self._kafka, self._settings.topic(topic), self._settings.topic_partitions)

    def concluded(self) -> list[dict[str, Any]]:
        """The results in the order of their records, once each of these has one; none has two."""
        self.flush()
        until(lambda: len(self.results()) >= self.published)
        found = self.results()
        places = Counter(tuple(each["source"][name] for name in ("topic", "partition", "offset")) for each in found)
        assert (len(places), set(places.values())) == (self.published, {1})
        return sorted(
            found, key=lambda each: (each["source"]["topic"], each["source"]["partition"], each["source"]["offset"])
        )


@contextmanager
def sends_stage(settings: Settings, folder: Path) -> Iterator[SendsStage]:
    """Give one whose sandbox takes everything, as fast as it comes."""
    with running_sandbox(SandboxOptions(faults=Faults(app_limit_per_s=0, broadcast_every_s=0.0))) as url:
        yield SendsStage(settings, url, folder)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(POLL_S)


def words(results: Sequence[dict[str, Any]]) -> list[str]:
    """What became of each."""
    return [each["reason"] or each["outcome"] for each in results]
