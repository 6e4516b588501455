"""Writes, and reads for workers, which topics' dead letters an operator lets through, and until when. Blocking."""

import time
from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message

from schemas import resume
from schemas.errors import UnavailableError
from schemas.resume import Resume
from streams.kafka import topic_plan
from streams.kafka.partition_reader import PartitionReader
from streams.kafka.producer import create_producer
from streams.settings import Settings

ANSWER_S: Final = 3.0
READ_S: Final = 5.0  # what takes longer goes on with the next look
CONFIRM_S: Final = 15.0


class ResumeReader:
    """Remembers how far it has read: on the same partition stand the decisions on letters, which may be many."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._place = (settings.topic(topic_plan.DLQ_DECISIONS), resume.PARTITION)
        self._next = 0
        self._until_ms: dict[str, int] = {}

    def read(self) -> Mapping[str, int]:
        """Until when (unix milliseconds) each topic (full name) is resumed, as far as it was read in `READ_S`.

        Raises:
            ConfigError: the topic does not exist, or may not be seen.
            UnavailableError: Kafka does not tell.
        """
        deadline = time.monotonic() + READ_S
        with PartitionReader(self._settings, answer_s=ANSWER_S) as reader:
            _, end = reader.bounds(self._place)
            if end < self._next:  # the topic was made anew
                self._next, self._until_ms = 0, {}
            for record in reader.read(self._place, self._next, end):
                self._take(record.key, record.value)
                self._next = record.offset + 1
                if time.monotonic() > deadline:
                    return dict(self._until_ms)
        self._next = end
        return dict(self._until_ms)

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        topic = resume.resumed_topic(key)
        if topic is not None:
            found = resume.decode_resume(value or b"")
            self._until_ms[self._settings.topic(topic)] = found.until_ms if found else 0


def write_resumes(settings: Settings, resumes: Mapping[str, Resume]) -> None:
    """Write one record for each topic (short name).

    Raises:
        UnavailableError: Kafka has not taken all of them; said again, it does no harm.
    """
    refusals: list[str] = []

    def confirm(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            refusals.append(error.str())

    name = settings.topic(topic_plan.DLQ_DECISIONS)
    producer = create_producer(settings, **{"linger.ms": 0, "message.timeout.ms": int(CONFIRM_S * 1000)})
    try:
        for topic, each in resumes.items():
            key, value = resume.resume_key(topic), resume.encode_resume(each)
            producer.produce(name, value, key, resume.PARTITION, on_delivery=confirm)
        left = producer.flush(CONFIRM_S + 1)
    except KafkaException as error:
        raise UnavailableError(f"{name} cannot be written: {error.args[0].str()}") from error
    if refusals or left:
        raise UnavailableError(f"{name} cannot be written: {(refusals or ['Kafka does not answer'])[0]}")
