"""All four processes under a real Prometheus: as they should be, then with everything broken that has an alert."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined] # public by its documentation, not by its stubs
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from schemas import dead_letter
from streams.kafka import topic_plan
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.sandbox.faults import Faults
from streams.sandbox.options import SandboxOptions
from streams.sandbox.serve import running_sandbox
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.deploy.running_prometheus import FOR_S_MAX, RunningPrometheus
from tests.integration.webhook_process import READY as RECEIVER_READY
from tests.integration.webhook_process import ReceiverProcess
from tests.integration.worker_process import WorkerProcess, environment
from tests.warehouse_world import webhook_body
from tests.webhook_client import ask, make_body, make_request

WAIT_S: Final = 60.0
HEALTHY_S: Final = FOR_S_MAX + 1.5
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
CHANGES, EVENTS, MESSAGES = topic_plan.USER_CHANGES, topic_plan.DOMAIN_EVENTS, topic_plan.TRANSACTIONAL_MESSAGES
SOON: Final = {"STUCK_S": "1", "REQUEST_TIMEOUT_S": "1", "DRAIN_S": "3"}
HANGS: Final = ("tests.faults.hanging", "request")
NOBODY: Final = "127.0.0.1:1"
HEALTH: Final = "health and metrics"


@dataclass(slots=True, kw_only=True)
class Stage:
    """What is started, and where it writes."""

    settings: Settings
    prometheus: RunningPrometheus
    sandbox: httpx.Client
    receiver: ReceiverProcess
    secret: Path
    hanging: Settings
    _number: int = 0

    def produce(self, topic: str, *values: object, partition: int = 0, age_s: int = 0, settings: Settings) -> None:
        """Put records on a topic in one batch, as if they had come so long ago."""
        producer = Producer(librdkafka_config(settings) | {"linger.ms": 60_000})
        producer.list_topics(timeout=WAIT_S)
        for value in values:
            self._number += 1
            raw = value if isinstance(value, bytes) else orjson.dumps(value)
            at_ms = round((time.time() - age_s) * 1000)
            producer.produce(settings.topic(topic), raw, None, partition, timestamp=at_ms)
        assert producer.flush(WAIT_S) == 0

    def publish(self, topic: str, *values: object, partition: int = 0, age_s: int = 0) -> None:
        """The same, on the topics of the worker that works."""
        self.produce(topic, *values, partition=partition, age_s=age_s, settings=self.settings)

    def post(self, count: int, *, is_signed: bool) -> None:
        """Send so many webhooks to the receiver, of messages that bounced."""
        for number in range(count):
            self._number += 1
            forged = {"X-CIO-Timestamp": "1", "X-CIO-Signature": "0" * 64}
            body = make_body(event_id=f"e-{self._number}-{number}", metric="bounced")
            request = make_request(body, None if is_signed else forged)
            assert asyncio.run(ask(self.receiver.port, request)) == (200 if is_signed else 401)

    def send_oddities(self) -> None:
        """Send what is stored with a fault, what no route can key, and what is no request."""
        for body in (b"no JSON", make_body(event_id="odd", metric="bounced", data={"delivery_id": "d-1"})):
            assert asyncio.run(ask(self.receiver.port, make_request(body))) == 200
        assert asyncio.run(ask(self.receiver.port, b"no request\r\n\r\n")) != 200

    def switch(self, what: str, **values: object) -> None:
        """Change the sandbox."""
        self.sandbox.put(f"/sandbox/{what}", json=values).raise_for_status()

    def until(self, expression: str, count: int) -> None:
        """Wait until Prometheus counts so many."""
        deadline = time.monotonic() + WAIT_S
        while (found := self.prometheus.now(expression)) < count:
            assert time.monotonic() < deadline, f"{expression} is {found}; firing: {sorted(self.prometheus.firing())}"
            time.sleep(0.3)


def person(number: int) -> Mapping[str, Any]:
    """A change that Customer.io takes."""
    return {"type": "user.upserted", "user": {"id": f"u-{number}", "plan": "pro"}}


def event(number: int) -> Mapping[str, Any]:
    """An event that it takes."""
    return {"name": "clicked", "user_id": f"u-{number}", "data": {"number": number}}


def message(number: int) -> Mapping[str, Any]:
    """A message that goes out."""
    own = {"identifiers": {"id": f"u-{number}"}, "message_data": {}, "to": "ada@example.com"}
    return {"message_id": f"m-{number}", "channel": "email", "transactional_message_id": 3, **own}


@contextlib.contextmanager
def alert_stage(make: SettingsFactory, prometheus: RunningPrometheus, folder: Path) -> Iterator[Stage]:
    """Start three workers, a receiver, a loader and a watch of dead letters, and let Prometheus scrape them.

    The third has topics of its own, and will hang with its first request.
    """
    settings, hanging, secret = make(), make(topic_partitions=1), folder / "site-id"
    secret.write_text("site")
    common = {"KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap, "APP_ID": settings.app_id, "LOG_FORMAT": "json"}
    common |= {"TOPIC_PREFIX": settings.topic_prefix, "WAREHOUSE": f"duckdb:{folder / 'warehouse.duckdb'}"}
    common |= {"WAREHOUSE_PORT": "0", "DLQ_WATCH_PORT": "0"}
    with (
        running_sandbox(SandboxOptions(faults=Faults(app_limit_per_s=0))) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as sandbox,
        WorkerProcess(_worker(settings, url, secret), folder / "worker.log") as worker,
        WorkerProcess(_worker(settings, url, secret), folder / "other.log") as other,
        WorkerProcess(environment(hanging, url, **SOON), folder / "hanging.log", command=HANGS) as third,
        ReceiverProcess(settings, folder / "receiver.log") as receiver,
        WorkerProcess(common, folder / "loader.log", command=("streams", "warehouse")) as loader,
        WorkerProcess(common, folder / "watch.log", command=("streams", "dlq", "watch")) as watch,
    ):
        receiver.wait_until_it_says(RECEIVER_READY)
        prometheus.scrape("cio-worker", [*map(address, (worker, other, third))])
        prometheus.scrape("cio-warehouse", [address(loader)])
        prometheus.scrape("cio-dlq", [address(watch)])
        prometheus.scrape("cio-webhooks", [f"127.0.0.1:{receiver.port}"])
        yield Stage(
            settings=settings,
            prometheus=prometheus,
            sandbox=sandbox,
            receiver=receiver,
            secret=secret,
            hanging=hanging,
        )


def _worker(settings: Settings, url: str, secret: Path) -> dict[str, str]:
    more = {"CUSTOMERIO_SITE_ID": "", "CUSTOMERIO_SITE_ID_FILE": str(secret), "RETRY_BACKOFF_S": "0.1", "DRAIN_S": "1"}
    return environment(settings, url, CUSTOMERIO_APP_API_KEY="key", CUSTOMERIO_APP_URL=url, **more)


def address(process: WorkerProcess) -> str:
    """Where its metrics are, once it serves them."""
    process.wait_until_it_says(HEALTH)
    url = next(line["url"] for line in process.lines() if line["event"] == HEALTH)
    return str(url).removeprefix("http://")


def let_it_work(stage: Stage) -> None:
    """Deliver some of everything, in two rounds, and give every alert the time to fire."""
    for number in range(2):
        people = range(10 * number, 10 * number + 10)
        stage.publish(CHANGES, *map(person, people))
        stage.publish(EVENTS, *map(event, people))
        stage.publish(MESSAGES, message(number))
        stage.post(5, is_signed=True)
        stage.until("sum(cio_records_total)", 21 * (number + 1))
        stage.until("sum(cio_warehouse_rows_total)", 26 * (number + 1))
    time.sleep(HEALTHY_S)


def break_it(stage: Stage) -> None:
    """Let everything go wrong that can at once."""
    stage.produce(CHANGES, person(1), settings=stage.hanging)
    os.utime(stage.secret, (0, 0))
    stage.switch("faults", rate=1.0, kinds=["503"], paths=["/api/v2/"])
    stage.switch("account", app_api_key="another")
    stage.publish(CHANGES, *map(person, range(100, 105)), age_s=10 * MINUTE_S)
    stage.publish(CHANGES, *[b"{"] * 300, partition=1)
    stage.publish(EVENTS, *[b"{"] * 20, partition=1)
    stage.publish(MESSAGES, message(9))
    stage.publish(topic_plan.WEBHOOKS, *(webhook_body(f"w-{n}") for n in range(50)), age_s=2 * HOUR_S)
    stage.post(3, is_signed=False)
    stage.send_oddities()
    _leave_a_letter(stage.settings, age_s=2 * DAY_S)
    stage.prometheus.scrape("cio-worker", [*stage.prometheus.targets("cio-worker"), NOBODY])


def refuse_results(stage: Stage) -> None:
    """From now on no transaction that has a result gets through, of no worker."""
    topic = stage.settings.topic(topic_plan.RESULTS)  # below: less than a result takes, and more than an abort's marker
    entry = ConfigEntry("max.message.bytes", "120", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = connected_admin(stage.settings)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()
    for partition in range(stage.settings.topic_partitions):
        stage.publish(EVENTS, b"{", partition=partition)


def _leave_a_letter(settings: Settings, *, age_s: int) -> None:
    failed_at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - age_s))
    told = {dead_letter.TOPIC: settings.topic(EVENTS), dead_letter.PARTITION: "0", dead_letter.OFFSET: "0"}
    told |= {dead_letter.REASON: "rejected", dead_letter.FAILED_AT: failed_at, dead_letter.REPLAYS: "0"}
    producer = Producer(librdkafka_config(settings))
    headers: list[tuple[str, str | bytes | None]] = [(name, value.encode()) for name, value in told.items()]
    at_ms = round((time.time() - age_s) * 1000)
    producer.produce(settings.topic(topic_plan.DLQ), b"{}", b"u-1", 0, headers=headers, timestamp=at_ms)
    assert producer.flush(WAIT_S) == 0
