"""Puts dead letters on a real Kafka, and runs `cio-streams dlq …` as a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

from confluent_kafka import Producer

from schemas.record import Stored
from streams.kafka import topic_plan
from streams.kafka.clients import librdkafka_config
from streams.settings import Settings

COMMAND_S: Final = 60


def write_letters(settings: Settings, letters: Sequence[Stored]) -> list[str]:
    """Write them in order; the names that they have now."""
    producer = Producer(librdkafka_config(settings, **{"enable.idempotence": True, "message.max.bytes": 2_000_000}))
    placed: list[str] = []
    for letter in letters:
        producer.produce(
            settings.topic(topic_plan.DLQ),
            letter.value,
            letter.key,
            letter.partition,
            headers=list(letter.headers),
            on_delivery=lambda error, message: placed.append(
                f"{message.partition()}/{message.offset()}" if error is None else str(error)
            ),
        )
        assert producer.flush(COMMAND_S) == 0
    return placed


def dlq(
    settings: Settings, *arguments: str, code: int = 0, stdin: int = subprocess.DEVNULL
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, off a terminal unless `stdin` is one; it must end with this code."""
    own = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "TOPIC_PREFIX": settings.topic_prefix,
        "APP_ID": settings.app_id,
        "MAX_REPLAYS": str(settings.max_replays),
    }
    done = subprocess.run(
        [sys.executable, "-m", "streams", "dlq", *arguments],
        env={**os.environ, **own},
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_S,
    )
    assert (code, False) == (done.returncode, "Traceback" in done.stderr), done.stderr
    return done


def told(settings: Settings, *arguments: str) -> list[dict[str, Any]]:
    """Run a command with `--json`; the objects that it prints."""
    return [json.loads(line) for line in dlq(settings, *arguments, "--json").stdout.splitlines()]
