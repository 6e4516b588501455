"""For each right of each role the narrowest thing that needs it, in this process: a command, or a part of a worker."""

import contextlib
import io
import uuid
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Final

from aiokafka import ConsumerRecord

from agents.ports import Publication
from schemas.chunk import Chunk, Membership
from schemas.errors import StreamsError
from schemas.person_state import PersonState, pack
from schemas.send_memory import SendEntry, SendPlace
from streams import __main__
from streams.app import agents_by_topic
from streams.delivery.resumes import ResumeReader
from streams.kafka import topic_plan
from streams.kafka.clients import librdkafka_config
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.output_diagnosis import OutputDiagnosis
from streams.kafka.partition_reader import PartitionReader
from streams.kafka.roles import Right, Role
from streams.kafka.topics import input_partitions
from streams.kafka.transactions import OutputTopics, TransactionWriter
from streams.settings import Settings
from streams.warehouse import source
from streams.webhooks.route_topics import require_topics
from streams.webhooks.routes import load_routes

LIST: Final = "dlq list"
SHOW: Final = "dlq show 0/3"
REPLAY: Final = "dlq replay 0/0 --again --force --yes"
RESUME: Final = "dlq resume user-changes --for 1m"
AUDIT: Final = "audit"
CREATE: Final = "topics create"
CHECK: Final = "topics check"
_NOBODY: Final = Membership(-1, "")  # outside any group: Kafka fences nothing
_LEDGERS: Final = (topic_plan.LEDGER_PEOPLE, topic_plan.LEDGER_EVENTS, topic_plan.LEDGER_SENDS)

Action = Callable[[Settings], None]
"""Raises a StreamsError when it is not allowed."""


class CommandFailedError(StreamsError):
    """A command has ended with another code than 0; what it said is on stderr."""


def action(role: Role, right: Right, records: Path) -> Action:
    """Give it; `records` holds an input record for each topic, in a file of its name."""
    match role:
        case "publisher":
            return command(f"publish {right.name} {records / right.name}")
        case "webhooks":
            return _receive
        case "warehouse":
            return _load
        case "dlq-watch":
            return partial(_read, topic=right.name)
        case "worker" | "worker-with-sends":
            return _part_of_worker(right)
        case _:
            return command(_command_for(role, right))


def _command_for(role: Role, right: Right) -> str:
    match role:
        case "checker":
            return CHECK
        case "topic-admin":
            return CREATE
        case "operator":
            return RESUME if right.name == topic_plan.DLQ_DECISIONS else REPLAY
        case "reader":
            return SHOW if right.name in _LEDGERS else LIST
        case _:
            return AUDIT


@cache
def command(line: str) -> Action:
    """Run it; the environment is the settings', and what it says is the error's text."""

    def run(_: Settings) -> None:
        said = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            code = __main__.run(line.split())
        # No worker has concluded these records: an audit that says so has read everything.
        if code and not (line == AUDIT and "no result" in said.getvalue()):
            raise CommandFailedError(said.getvalue().splitlines()[-1])

    return run


def _receive(settings: Settings) -> None:
    require_topics(settings, load_routes(settings))


def _load(settings: Settings) -> None:
    source.require_topics(settings, [settings.topic(name) for name in (topic_plan.WEBHOOKS, topic_plan.RESULTS)])


def _read(settings: Settings, topic: str) -> None:
    with PartitionReader(settings) as reader:
        assert list(reader.read((settings.topic(topic), 0)))


def _part_of_worker(right: Right) -> Action:
    if right.kind != "topic" or right.operation == "WRITE":
        return conclude
    if right.name == topic_plan.DLQ_DECISIONS:
        return _look_for_resumes
    return partial(_restore, ledger=right.name) if right.name in _LEDGERS else _start


def _start(settings: Settings) -> None:
    input_partitions(settings, list(agents_by_topic(settings)))


def _look_for_resumes(settings: Settings) -> None:
    ResumeReader(settings).read()


def _restore(settings: Settings, ledger: str) -> None:
    reader = LedgerReader(librdkafka_config(settings), group=settings.app_id)
    reader.read({(settings.topic(ledger), 0): -1}, lambda _: None, lambda: True)


def conclude(settings: Settings) -> None:
    """Write on all that a worker writes to, and commit an offset, as it does."""
    topic, config = settings.topic(topic_plan.USER_CHANGES), librdkafka_config(settings)
    writer_id, topics = f"{settings.app_id}-{uuid.uuid4().hex}", OutputTopics.of(settings)
    diagnosis = OutputDiagnosis(config, written=topics.written(with_sends=True), read=[topic], group=settings.app_id)
    writer = TransactionWriter(
        config,
        group=settings.app_id,
        transactional_id=writer_id,
        topics=topics,
        reader=LedgerReader(config, group=settings.app_id),
        advise=diagnosis.advice,
    )
    record = ConsumerRecord(topic, 0, 0, 0, 0, b"u-1", b"{}", None, 3, 2, ())
    publication = Publication(
        chunk=Chunk(topic=topic, partition=0, start=0, records=[record], membership=_NOBODY, epoch=1),
        results=[(b"u-1", b"{}")],
        letters=[(b"u-1", b"{", [])],
        people=[(b"u-1", pack(PersonState()))],
        events=[b"0123456789abcdef"],
        sends=[(b"m-1", SendEntry("intent", "message", SendPlace(topic, 0)))] if has_sends(settings) else [],
        concluded_s=0,
    )
    writer.write([publication], _NOBODY)


def has_sends(settings: Settings) -> bool:
    """Whether a worker with these settings sends messages."""
    return settings.customerio_app_api_key is not None
