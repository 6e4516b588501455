"""Sample messages and broadcasts are reproducible, mixed as they are said to be, and taken by the sandbox."""

from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from streams.kafka.topic_plan import BROADCAST_TRIGGERS, TRANSACTIONAL_MESSAGES
from streams.publishing import sample_sends as module
from streams.publishing.publish_key import find_key
from streams.publishing.sample_sends import SEND_SHARES, sample_sends
from streams.publishing.sample_traffic import SampleRecord
from tests.unit.app_sandbox import Sandbox

TEMPLATES = Path(module.__file__).with_name("sample_templates.json")
NOT_THE_REQUEST_S = ("message_id", "channel", "occurred_at", "trigger_id", "broadcast_id", "audience")


def make_sends(count: int, *, seed: int = 1) -> list[SampleRecord]:
    """Give the first records of a seed."""
    return list(islice(sample_sends(Random(seed), now=lambda: datetime(2026, 11, 22, 10, tzinfo=UTC)), count))


def value_of(record: SampleRecord) -> dict[str, Any]:
    """The record's JSON."""
    value: dict[str, Any] = orjson.loads(record.value or b"")
    return value


def test_the_same_seed_gives_the_same_records() -> None:
    """Whoever reports something odd can name the seed."""
    assert make_sends(300, seed=7) == make_sends(300, seed=7) != make_sends(300, seed=8)


def test_the_kinds_come_in_the_shares_they_are_said_to() -> None:
    """Within a quarter of what was to be expected of ten thousand."""
    counts = Counter(record.kind for record in make_sends(10_000))

    assert set(counts) == set(SEND_SHARES)
    assert all(abs(counts[kind] - 10 * share) <= 10 * share / 4 + 10 for kind, share in SEND_SHARES.items())


def test_only_repeats_have_an_id_that_was_there() -> None:
    """A repeat is the same to the byte."""
    records = [record for record in make_sends(2_000) if record.topic == TRANSACTIONAL_MESSAGES]
    fresh = {value_of(record)["message_id"]: record.value for record in records if record.kind != "repeated_message"}
    repeats = [record for record in records if record.kind == "repeated_message"]

    assert len(fresh) + len(repeats) == len(records)
    assert all(fresh[value_of(record)["message_id"]] == record.value for record in repeats)


def test_keys_are_those_that_publish_would_find() -> None:
    """So that repeats meet on one partition."""
    for record in make_sends(500):
        assert record.key == find_key(record.value or b"", topic=record.topic)


@pytest.mark.parametrize("seed", range(3))
async def test_the_sandbox_takes_all_but_the_mistakes(seed: int) -> None:
    """With the sample templates every placeholder that a message fills has a value."""
    sandbox = Sandbox()
    (await sandbox.client.put("/sandbox/templates", content=TEMPLATES.read_bytes())).raise_for_status()
    for record in make_sends(200, seed=seed):
        value = value_of(record)
        body = {name: each for name, each in value.items() if name not in NOT_THE_REQUEST_S}
        if record.topic == BROADCAST_TRIGGERS:
            answer = await sandbox.trigger(body | value["audience"], broadcast=value["broadcast_id"])
        else:
            answer = await sandbox.send(body, channel=value["channel"])

        assert answer.status_code == (400 if record.kind == "malformed_message" else 200)

    assert {name for each in await sandbox.outbox() for name in each["missing"]} == set()
