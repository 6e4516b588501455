"""A person to be erased among others, on a real Kafka: what is planted, what a raw reader sees, the command itself."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
from confluent_kafka import Producer

from agents.steps.report import letter_headers
from schemas import dead_letter
from schemas.conclusion import Conclusion
from schemas.dead_letter import LetterName
from schemas.decision import Decision, LetterState
from schemas.person_state import PersonState, pack, unpack
from schemas.record import Header, Stored
from streams.dead_letters.decisions import DecisionWriter
from streams.dead_letters.letters import Letters
from streams.kafka.clients import librdkafka_config
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings
from tests.unit.input_records import InputRecord

ERASED: Final = "gone-4711"
MARKER: Final = b"ada.of.4711@example.com"
CLEARED: Final = ("customerio-dlq", "customerio-replay", "customerio-ledger-people", "customerio-dlq-decisions")
DELETED: Final = PersonState(fingerprint=bytes(range(16)), version=3, deleted=True)
TIMEOUT_S: Final = 60


class Planter:
    """Writes as a worker and the `dlq` commands would."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer = Producer(librdkafka_config(settings) | {"linger.ms": 0, "message.max.bytes": 4_000_000})

    def letter(
        self,
        user_id: str,
        *,
        partition: int = 0,
        filler: bytes = b"",
        key: bytes | None = None,
        value: bytes | None = None,
    ) -> None:
        """A letter of this person, with so much in it."""
        name = user_id.encode()
        content = b'{"user":{"id":"%b","email":"%b"}}' % (name, filler) if value is None else value
        self._produce("customerio-dlq", partition, key=key or name, value=content, headers=of_letter())

    def replay(self, user_id: str, *, partition: int = 0) -> None:
        """A replay of a malformed user change of this person."""
        value = b'{"type":"user.upserted","user":{"id":"%b","oops":"%b"}}' % (user_id.encode(), MARKER)
        headers = [*of_letter(partition)[:-1], (dead_letter.REPLAYS, b"1"), (dead_letter.NAMED, b"%d/0" % partition)]
        self._produce("customerio-replay", partition, key=user_id.encode(), value=value, headers=headers)

    def state(self, key: bytes, state: PersonState | None, *, partition: int = 0) -> None:
        """What the ledger knows of a person."""
        self._produce("customerio-ledger-people", partition, key=key, value=pack(state) if state else None)

    def rolled_back_letter(self, user_id: str, *, partition: int) -> None:
        """A letter of a transaction that was aborted: whoever reads uncommitted gets it."""
        producer = Producer(librdkafka_config(self._settings) | {"transactional.id": f"{self._settings.app_id}-t"})
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce(self._settings.topic("customerio-dlq"), MARKER, user_id.encode(), partition)
        producer.flush(20)
        producer.abort_transaction(20)

    def input(self, topic: str, key: str, value: object, *, partition: int = 0) -> None:
        """A record of a publisher's."""
        self._produce(topic, partition, key=key.encode(), value=orjson.dumps(value))

    def _produce(
        self, topic: str, partition: int, *, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()
    ) -> None:
        self._producer.produce(self._settings.topic(topic), value, key, partition, headers=list(headers) or None)
        assert self._producer.flush(30) == 0


def discarded(note: str, by: str = "eve") -> Decision:
    """A decision at an hour that is a person's id."""
    return Decision(decision="discarded", at="2026-11-22T10:00:00.000Z", by=by, note=note)


def decide(settings: Settings, name: LetterName, note: str, by: str = "eve") -> None:
    """Discard a letter."""
    with (
        PartitionReader(settings) as reader,
        DecisionWriter(settings, Letters(settings, reader), name.partition) as each,
    ):
        each.commit({name: discarded(note, by)})


def plant_letters(settings: Settings) -> Planter:
    """Of four persons on two partitions, some of them large, one rolled back."""
    planter = Planter(settings)
    for filler in (b"a", MARKER, b"x" * 900_000 + MARKER):
        planter.letter(ERASED, filler=filler)
    planter.letter("other-1", filler=b"y" * 1_000_000)
    planter.letter(ERASED, filler=MARKER)
    planter.letter("other-2", filler=b"small")
    planter.letter("other-3", partition=1, filler=b"elsewhere")
    planter.rolled_back_letter(ERASED, partition=1)
    return planter


def plant(settings: Settings) -> Planter:
    """Letters, decisions on two, and states in the ledger."""
    planter = plant_letters(settings)
    decide(settings, LetterName(0, 1), f"asked by {MARKER.decode()}")
    decide(settings, LetterName(0, 5), "a duplicate")
    for state in (DELETED._replace(deleted=False), DELETED):
        planter.state(ERASED.encode(), state)
        planter.state(b"other-1", state._replace(version=9))
    planter.state(ERASED.encode(), DELETED, partition=1)  # as of records with another key
    return planter


def people(settings: Settings) -> dict[tuple[int, bytes | None], PersonState]:
    """What the ledger says, by partition and key."""
    return {
        (record.partition, record.key): unpack(record.value)
        for record in everything(settings, ["customerio-ledger-people"])
        if record.value
    }


def of_letter(partition: int = 0) -> list[Header]:
    """The headers that a worker gives a malformed user change."""
    conclusion = Conclusion(InputRecord(partition=partition), "dead", "malformed", "user.oops: unknown field")
    return list(letter_headers(conclusion, group="g", failed_at="2026-11-22T10:00:00.184Z"))


def everything(settings: Settings, topics: Iterable[str] = CLEARED) -> Iterator[Stored]:
    """Every record that somebody gets who reads uncommitted from the beginning."""
    with PartitionReader(settings, everything=True) as reader:
        for topic in map(settings.topic, topics):
            for partition in reader.partitions(topic):
                yield from reader.read((topic, partition))


def traces(settings: Settings, *needles: bytes) -> list[tuple[str, int, int]]:
    """Where one of these bytes is left."""
    return [
        (record.topic, record.partition, record.offset)
        for record in everything(settings)
        if any(
            needle in (part or b"")
            for needle in needles
            for part in (record.key, record.value, *(value for _, value in record.headers))
        )
    ]


def letters(settings: Settings) -> list[tuple[LetterName, LetterState, bytes | None, bytes | None]]:
    """All letters, as the other commands see them."""
    with PartitionReader(settings) as reader:
        found = Letters(settings, reader)
        return [
            (each.letter.name, each.state, each.letter.key, each.letter.value)
            for partition in found.partitions()
            for each in found.read(partition)
        ]


def erase(settings: Settings, *options: str, user: str = ERASED, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command for the person to its end."""
    own = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "TOPIC_PREFIX": settings.topic_prefix,
        "TOPIC_PARTITIONS": str(settings.topic_partitions),
        "APP_ID": settings.app_id,
    }
    return subprocess.run(
        [sys.executable, "-m", "streams", "dlq", "erase", "--user", user, *options],
        stdin=subprocess.DEVNULL,
        env={**os.environ, **own, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )


def reported(done: subprocess.CompletedProcess[str]) -> Mapping[str, Any]:
    """What it printed with `--json`."""
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))
