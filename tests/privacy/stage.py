"""Runs our processes and commands on a real Kafka and on a Customer.io that quotes, and keeps all that they put out."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final, TextIO

import httpx
import pytest
from confluent_kafka import Producer

from streams.__main__ import run
from streams.kafka import topic_plan
from streams.kafka.clients import librdkafka_config
from streams.settings import Settings
from tests.faults import evidence
from tests.integration.worker_process import WorkerProcess
from tests.privacy.echoing_api import Api
from tests.privacy.marked_data import Given
from tests.webhook_client import KEY, Connection

WAIT_S: Final = 40.0
PAGES: Final = ("livez", "readyz", "metrics")
SECRETS: Final = {
    "CUSTOMERIO_SITE_ID": "zqmark-site",
    "CUSTOMERIO_TRACK_API_KEY": "zqmark-track-key",
    "CUSTOMERIO_APP_API_KEY": "zqmark-app-key",
}


class Stage:
    """`outputs` are all texts, by the name of the path that they came on."""

    def __init__(self, settings: Settings, api: Api, folder: Path) -> None:
        self.settings = settings
        self.api = api
        self.folder = folder
        self.page = folder / "page.html"
        self.outputs: dict[str, str] = {}
        self._environment = {
            "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
            "APP_ID": settings.app_id,
            "TOPIC_PREFIX": settings.topic_prefix,
            "TOPIC_PARTITIONS": str(settings.topic_partitions),
            "CUSTOMERIO_TRACK_URL": api.url,
            "CUSTOMERIO_APP_URL": api.url,
            "CUSTOMERIO_WEBHOOK_SIGNING_KEY": KEY,
            **SECRETS,
            "BROADCAST_PER_S": "100",
            "RETRY_BACKOFF_S": "0.1",
            "DRAIN_S": "1",
            "HTTP_PORT": "0",
            "WEBHOOK_PORT": "0",
            "WAREHOUSE_PORT": "0",
            "DLQ_WATCH_PORT": "0",
            "WAREHOUSE": f"duckdb:{folder}/warehouse.duckdb",
            "TRACK_RATE_PER_S": "1000",
            "LOG_LEVEL": "debug",
        }

    @contextmanager
    def process(self, name: str, *command: str, **more: str) -> Iterator[WorkerProcess]:
        """Let one run, and keep what it has put out in the end; its format is JSON unless `more` says otherwise."""
        log = self.folder / f"{name}.log"
        variables = {**self._environment, "LOG_FORMAT": "json", **more}
        try:
            with WorkerProcess(variables, log, command=command) as process:
                yield process
        finally:
            self.outputs[name] = log.read_text(errors="replace")

    def read_pages(self, name: str, process: WorkerProcess, said: str) -> None:
        """Keep what it serves at the address that it has logged."""
        url = httpx.URL(next(str(line["url"]) for line in process.lines() if line["event"] == said))
        texts = [httpx.get(url.join(f"/{page}"), trust_env=False).text for page in PAGES]
        self.outputs[name] = "\n".join(texts)

    def run(self, name: str, *arguments: str, codes: Sequence[int] = (0,)) -> str:
        """Run a command to its end, in this process as it takes seconds to start one; keep and give what it puts out.

        What a library in C writes to the streams themselves is kept too.
        """
        file = self.folder / "output"
        with pytest.MonkeyPatch.context() as patched, file.open("w") as output, _instead_of_streams(output):
            for variable, value in self._environment.items():
                patched.setenv(variable, value)
            code = run(arguments)
        self.outputs[name] = text = file.read_text(errors="replace")
        assert code in codes, f"{name}: {code}\n{text}"
        return text

    def publish(self, records: Iterable[Given], *, partition: int = 0) -> None:
        """Put them on Kafka."""
        producer = Producer(librdkafka_config(self.settings))
        for each in records:
            headers: list[tuple[str, str | bytes | None]] = [*each.headers]
            producer.produce(self.settings.topic(each.topic), each.value, each.key, partition, headers=headers)
        assert producer.flush(WAIT_S) == 0

    @property
    def records(self) -> int:
        """How many are on the input topics, whoever has put them there."""
        return sum(self.count(topic) for topic in topic_plan.INPUTS)

    def count(self, topic: str) -> int:
        """How many records are on one of our topics, for whoever reads committed."""
        config = librdkafka_config(self.settings)
        partitions = 1 if topic == topic_plan.BROADCAST_TRIGGERS else self.settings.topic_partitions
        return sum(1 for _ in evidence.read_committed(config, self.settings.topic(topic), partitions))

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for it."""
        until_s = time.monotonic() + WAIT_S
        while not is_so():
            assert time.monotonic() < until_s, "it does not come to that"
            time.sleep(0.1)

    def letters(self) -> list[str]:
        """Their names."""
        listed = self.run("dlq list --json", "dlq", "list", "--json")
        return [json.loads(line)["letter"] for line in listed.splitlines() if line.startswith('{"letter"')]


@contextmanager
def _instead_of_streams(output: TextIO) -> Iterator[None]:
    """Let this file be both streams, for Python and for others."""
    before = [(number, os.dup(number)) for number in (1, 2)]
    with redirect_stdout(output), redirect_stderr(output):
        for number, _ in before:
            os.dup2(output.fileno(), number)
        try:
            yield
        finally:
            output.flush()
            for number, kept in before:
                os.dup2(kept, number)
                os.close(kept)


def send_raw(port: int, requests: Sequence[bytes]) -> list[int]:
    """Send these to a receiver; what each is answered."""

    async def send() -> list[int]:
        statuses = []
        for request in requests:
            async with await Connection.open(port) as line:
                statuses.append(await line.ask(request))
        return statuses

    return asyncio.run(send())
