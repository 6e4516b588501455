"""Collects the traces that are audited: what Kafka shows to whoever reads committed, and what the sandbox saw."""

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, cast

import httpx
import orjson
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from tests.faults.publisher import Place
from tests.faults.traffic import Header

READ_S = 60.0
POLL_S = 0.05  # so long is waited for 5000 more, of which there may be none
GROUP_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A record that a worker has written."""

    place: Place
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxTraces:
    """The sandbox at the end."""

    log: list[dict[str, Any]]
    people: dict[str, dict[str, Any]]
    suppressed: set[str]
    summary: dict[str, Any]


def read_committed(config: dict[str, Any], topic: str, partitions: int) -> Iterator[Output]:
    """Yield every record of a topic, waiting for transactions that are still open to end."""
    consumer = _consumer(config, "read_committed")
    try:
        places = [TopicPartition(topic, partition, 0) for partition in range(partitions)]
        ends = {place.partition: end_of(config, place) for place in places}
        left = {partition for partition, end in ends.items() if end > 0}
        consumer.assign(places)
        deadline = time.monotonic() + READ_S
        while left:
            assert time.monotonic() < deadline, f"{topic} cannot be read to its end: a transaction stays open"
            for message in consumer.consume(5000, timeout=POLL_S):
                partition, offset, error = _position(message)
                if error is None:
                    yield _output(message)
                elif offset >= ends[partition]:
                    left.discard(partition)
    finally:
        consumer.close()


def _position(message: Message) -> tuple[int, int, KafkaError | None]:
    error = message.error()
    assert error is None or error.code() == KafkaError._PARTITION_EOF, error
    return cast(int, message.partition()), cast(int, message.offset()), error


def _output(message: Message) -> Output:
    place = Place(*cast("tuple[str, int, int]", (message.topic(), message.partition(), message.offset())))
    headers = tuple(cast("list[Header]", message.headers() or []))
    return Output(place=place, key=message.key(), value=message.value(), headers=headers)


def end_of(config: dict[str, Any], place: TopicPartition) -> int:
    """The next offset that the broker will give, open transactions included."""
    consumer = _consumer(config, "read_uncommitted")
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(place.topic, place.partition), timeout=GROUP_S)
        return int(end)
    finally:
        consumer.close()


def committed(config: dict[str, Any], group: str, places: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The group's committed offsets, 0 where there is none; does not join the group."""
    consumer = _consumer({**config, "group.id": group}, "read_uncommitted")
    try:
        found = consumer.committed([TopicPartition(*place) for place in places], timeout=GROUP_S)
        return {(each.topic, each.partition): max(0, each.offset) for each in found}
    finally:
        consumer.close()


def _consumer(config: dict[str, Any], isolation: str) -> Consumer:
    return Consumer(
        {
            "group.id": "faults-audit",
            **config,
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,  # an end is told at once
        }
    )


def read_sandbox(url: str) -> SandboxTraces:
    """Everything that the sandbox remembers."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        people = [orjson.loads(line) for line in http.get("/sandbox/people").iter_lines()]
        suppressed = [orjson.loads(line) for line in http.get("/sandbox/suppressed").iter_lines()]
        return SandboxTraces(
            log=[orjson.loads(line) for line in http.get("/sandbox/log").iter_lines()],
            people={person["identifiers"]["id"]: person for person in people},
            suppressed={group["id"] for group in suppressed if "id" in group},
            summary=http.get("/sandbox/state").json(),
        )
