"""Dead letters on a real Kafka, as a worker would have written them; `dlq` commands as processes; what they leave."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from confluent_kafka import Message, Producer

from agents.steps.report import letter_headers
from schemas.conclusion import Conclusion
from schemas.dead_letter import NAMED, LetterName
from schemas.decision import Decision, decode_decision
from schemas.outcome import DeadReason
from schemas.record import Header
from streams.kafka import topic_plan
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.kafka.deletion import delete_before
from streams.settings import Settings
from tests.faults import evidence
from tests.faults.evidence import Output
from tests.unit.input_records import InputRecord

COMMAND_S: Final = 60
FAILED_AT: Final = "2026-11-22T10:00:00.000Z"


def letter_of(record: InputRecord, reason: DeadReason = "rejected", *, replays: int = 0) -> tuple[Any, ...]:
    """What a worker writes for a record that ends dead: partition, key, value, headers."""
    conclusion = Conclusion(record, "dead", reason, "detail")
    headers = [*letter_headers(conclusion, group="g", failed_at=FAILED_AT)]
    headers[-1] = (headers[-1][0], str(replays).encode())
    return record.partition, record.key, record.value, headers


def write_letters(settings: Settings, letters: Iterable[tuple[Any, ...]]) -> list[LetterName]:
    """Put letters on the dead-letter topic; their names, in the same order."""
    producer = Producer(librdkafka_config(settings, **{"enable.idempotence": True, "linger.ms": 5}))
    names: list[LetterName] = []
    for partition, key, value, headers in letters:
        producer.produce(
            settings.topic(topic_plan.DLQ),
            value,
            key,
            partition,
            headers=list(headers),
            on_delivery=lambda _, message: names.append(LetterName(*cast("tuple[int, int]", place_of(message)))),
        )
        producer.poll(0)
    assert producer.flush(30) == 0
    return names


def place_of(message: Message) -> tuple[int | None, int | None]:
    """Partition and offset."""
    return message.partition(), message.offset()


def command(*arguments: str) -> list[str]:
    """The command line of a `dlq` command."""
    return [sys.executable, "-m", "streams", "dlq", *arguments]


def surroundings(settings: Settings, **more: str) -> dict[str, str]:
    """The environment of an operator of this cluster."""
    return {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "APP_ID": settings.app_id,
        "TOPIC_PREFIX": settings.topic_prefix,
        **more,
    }


def dlq(settings: Settings, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a `dlq` command to its end, off a terminal; `more` are variables."""
    return subprocess.run(
        command(*arguments),
        env=surroundings(settings, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_S,
    )


def told(done: subprocess.CompletedProcess[str]) -> list[Any]:
    """The JSON lines that a command printed."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def copies(settings: Settings) -> list[Output]:
    """What lies on the replay topic, by partition and offset."""
    return _committed(settings, topic_plan.REPLAY)


def decisions(settings: Settings) -> list[tuple[str, Decision]]:
    """All that was decided, by partition and offset."""
    found = _committed(settings, topic_plan.DLQ_DECISIONS)
    pairs = [((each.key or b"").decode(errors="replace"), decode_decision(each.value or b"")) for each in found]
    return [(name, decision) for name, decision in pairs if decision is not None]


def header(headers: Sequence[Header], name: str) -> str | None:
    """The last header of this name."""
    return next(((value or b"").decode() for key, value in reversed(headers) if key == name), None)


def _committed(settings: Settings, topic: str) -> list[Output]:
    found = evidence.read_committed(librdkafka_config(settings), settings.topic(topic), settings.topic_partitions)
    return sorted(found, key=lambda output: (output.place.partition, output.place.offset))


def publish(settings: Settings, records: Iterable[InputRecord]) -> None:
    """Put records on their topics and partitions."""
    producer = Producer(librdkafka_config(settings))
    for record in records:
        producer.produce(settings.topic(record.topic), record.value, record.key, record.partition)
    assert producer.flush(30) == 0


def results(settings: Settings) -> list[dict[str, Any]]:
    """All results so far."""
    return [json.loads(each.value or b"") for each in _committed(settings, topic_plan.RESULTS)]


def results_of_letters(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """The results of the replays, by the name of the letter."""
    replayed = settings.topic(topic_plan.REPLAY)
    names = {(each.place.partition, each.place.offset): header(each.headers, NAMED) for each in copies(settings)}
    found: dict[str, list[dict[str, Any]]] = {}
    for each in results(settings):
        source = each["source"]
        if source["topic"] == replayed:
            found.setdefault(str(names[source["partition"], source["offset"]]), []).append(each)
    return found


def letters(settings: Settings) -> list[Output]:
    """What lies on the dead-letter topic."""
    return _committed(settings, topic_plan.DLQ)


def move_letters(settings: Settings, partition: int) -> None:
    """Write a partition's letters anew under their names and delete the old ones, as erasing somebody else does."""
    those = [each for each in letters(settings) if each.place.partition == partition]
    write_letters(
        settings,
        [
            (partition, each.key, each.value, [*each.headers, (NAMED, f"{partition}/{each.place.offset}".encode())])
            for each in those
        ],
    )
    admin = connected_admin(settings)
    delete_before(admin, {(settings.topic(topic_plan.DLQ), partition): those[-1].place.offset + 1})
