"""Writes the lines of a file to an input topic, byte for byte, and counts what Kafka confirms; it judges no record."""

import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message

from streams.kafka.clients import connected_admin
from streams.kafka.producer import LastingProducer, create_producer
from streams.kafka.topics import require_partitions
from streams.publishing.publish_key import find_key
from streams.settings import Settings

LINE_BYTES_MAX: Final = 16 * 1024 * 1024
ERRORS_KEPT_MAX: Final = 20
_POLL_S: Final = 0.1

_Count: TypeAlias = Literal["written", "failed", "without_key", "empty"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineError:
    """Why a line, counted from 1, was not written."""

    line: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What became of the lines; `errors` holds the first few of the `failed`, `empty` lines were skipped."""

    topic: str
    written: int
    failed: int
    without_key: int
    empty: int
    is_interrupted: bool
    errors: tuple[LineError, ...]


def publish(source: BinaryIO, *, topic: str, settings: Settings) -> Published:
    """Write every line of `source` to `topic` (short name) and wait until Kafka has confirmed or refused each.

    Memory stays flat whatever the size. Ctrl-C ends the reading; what was read by then is still confirmed.

    Raises:
        ConfigError: the topic does not exist.
        UnavailableError: Kafka cannot be reached.
    """
    require_partitions(connected_admin(settings), settings, [topic])
    writing = _Writing(create_producer(settings), topic=topic, full_name=settings.topic(topic))
    is_interrupted = False
    try:
        for number, line in enumerate(read_lines(source), start=1):
            writing.write(number, line)
    except KeyboardInterrupt:
        is_interrupted = True
    return writing.finish(is_interrupted=is_interrupted)


def read_lines(source: BinaryIO) -> Iterator[bytes | None]:
    """Give each line without its end; None stands for one that is longer than `LINE_BYTES_MAX`."""
    while line := source.readline(LINE_BYTES_MAX):
        if len(line) < LINE_BYTES_MAX or line.endswith(b"\n"):
            yield line.removesuffix(b"\n").removesuffix(b"\r")
            continue
        while line and not line.endswith(b"\n"):
            line = source.readline(LINE_BYTES_MAX)
        yield None


class _Writing:
    """Lines on their way, and the count of those that have arrived."""

    def __init__(self, producer: LastingProducer, *, topic: str, full_name: str) -> None:
        self._producer = producer
        self._topic = topic
        self._full_name = full_name
        self._counts: Counter[_Count] = Counter()
        self._errors: list[LineError] = []

    def write(self, number: int, line: bytes | None) -> None:
        """Hand one line to the producer, waiting while its queue is full."""
        if line is None:
            self._fail(number, f"longer than {LINE_BYTES_MAX} bytes")
        elif not line.strip():
            self._counts["empty"] += 1
        else:
            key = find_key(line, topic=self._topic)
            self._counts["without_key"] += key is None
            self._produce(number, key=key, value=line)

    def finish(self, *, is_interrupted: bool) -> Published:
        """Wait for the last confirmations; `CONFIRM_S_MAX` bounds it."""
        while len(self._producer):
            self._producer.poll(_POLL_S)  # in short turns, so that a second Ctrl-C ends it
        return Published(
            topic=self._full_name,
            written=self._counts["written"],
            failed=self._counts["failed"],
            without_key=self._counts["without_key"],
            empty=self._counts["empty"],
            is_interrupted=is_interrupted,
            errors=tuple(self._errors),
        )

    def _produce(self, number: int, *, key: bytes | None, value: bytes) -> None:
        confirm = functools.partial(self._confirm, number)
        while True:
            try:
                self._producer.produce(self._full_name, value, key, on_delivery=confirm)
            except BufferError:
                self._producer.poll(_POLL_S)
            except KafkaException as error:  # larger than the producer takes, or the producer is beyond help
                return self._fail(number, error.args[0].str())
            else:
                self._producer.poll(0)
                return None

    def _confirm(self, number: int, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self._counts["written"] += 1
        else:
            self._fail(number, error.str())

    def _fail(self, number: int, error: str) -> None:
        self._counts["failed"] += 1
        if len(self._errors) < ERRORS_KEPT_MAX:
            self._errors.append(LineError(line=number, error=error))
