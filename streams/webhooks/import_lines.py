"""Backfill: webhooks from JSON-lines files take the same way to Kafka as received ones, in flat memory."""

import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from confluent_kafka import KafkaError, KafkaException

from schemas.errors import ConfigError
from streams.kafka.producer import LastingProducer, create_producer
from streams.publishing.publish import LINE_BYTES_MAX
from streams.settings import Settings
from streams.webhooks.records import Draft, Drafting, Drafts
from streams.webhooks.route_topics import require_topics
from streams.webhooks.routes import Route
from streams.webhooks.writer import BATCH_BYTES

ENDINGS: Final = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")
FAILURES_KEPT_MAX: Final = 20
_POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A line, counted from 1, that is not on Kafka as a whole."""

    file: str
    line: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of the lines; `with_fault` are among the `written`, `routed` are further records."""

    files: int
    written: int
    failed: int
    with_fault: int
    empty: int
    routed: int
    is_interrupted: bool
    failures: tuple[Failure, ...]


def find_files(path: Path) -> list[Path]:
    """Give the file itself, or a folder's JSON-lines files in the order of their names.

    Raises:
        ConfigError: the folder has none.
    """
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.iterdir() if each.is_file() and each.name.endswith(ENDINGS))
    if not found:
        raise ConfigError(f"{path} has no file that ends in one of {', '.join(ENDINGS)}")
    return found


def import_files(files: Sequence[Path], settings: Settings, routes: Sequence[Route]) -> Imported:
    """Write every line's webhook, and its records of these routes; wait until Kafka has confirmed or refused each.

    Ctrl-C ends the reading; what was read by then is still confirmed.

    Raises:
        ConfigError: a topic does not exist, or a file cannot be read.
        UnavailableError: Kafka cannot be reached.
    """
    require_topics(settings, routes)
    producer = create_producer(settings, **{"batch.size": BATCH_BYTES})
    importing = _Importing(producer, Drafting(settings, routes), body_bytes_max=settings.webhook_body_max_bytes)
    is_interrupted = False
    try:
        for file in files:
            importing.read(file)
    except KeyboardInterrupt:
        is_interrupted = True
    return importing.finish(len(files), is_interrupted=is_interrupted)


class _Importing:
    def __init__(self, producer: LastingProducer, drafting: Drafting, *, body_bytes_max: int) -> None:
        self._producer = producer
        self._drafting = drafting
        self._body_bytes_max = body_bytes_max
        self._counts: Counter[str] = Counter()
        self._failures: list[Failure] = []

    def read(self, path: Path) -> None:
        try:
            with _opened(path) as file:
                for number, (line, is_whole) in enumerate(_lines(file), start=1):
                    self._take(line, is_whole=is_whole, place=(str(path), number))
        except (OSError, EOFError) as error:  # gzip's too
            raise ConfigError(f"{path} cannot be read ({type(error).__name__})") from error

    def finish(self, files: int, *, is_interrupted: bool) -> Imported:
        while len(self._producer):
            self._producer.poll(_POLL_S)  # in short turns, so that a second Ctrl-C ends it
        count = self._counts
        return Imported(
            files=files,
            written=count["written"],
            failed=count["failed"],
            with_fault=count["with_fault"],
            empty=count["empty"],
            routed=count["routed"],
            is_interrupted=is_interrupted,
            failures=tuple(self._failures),
        )

    def _take(self, line: bytes, *, is_whole: bool, place: tuple[str, int]) -> None:
        if is_whole and not line.strip():
            self._counts["empty"] += 1
            return
        fits = is_whole and len(line) <= self._body_bytes_max
        drafts = self._drafting.draft(line) if fits else self._drafting.draft_too_large(line)
        self._write(drafts, place)

    def _write(self, drafts: Drafts, place: tuple[str, int]) -> None:
        for record in drafts.records:
            told = partial(self._confirmed, record, is_faulty=drafts.fault is not None, place=place)
            while True:
                try:
                    self._producer.produce(
                        record.topic, record.value, record.key, headers=record.headers, on_delivery=told
                    )
                except BufferError:
                    self._producer.poll(_POLL_S)
                except KafkaException as error:  # the producer is beyond help
                    self._fail(place, error.args[0].str())
                    break
                else:
                    self._producer.poll(0)
                    break

    def _confirmed(
        self,
        record: Draft,
        error: KafkaError | None,
        _message: Any,  # noqa: ANN401 - the record, which nobody needs again
        *,
        is_faulty: bool,
        place: tuple[str, int],
    ) -> None:
        if error is not None:
            self._fail(place, error.str())
        elif record.route is not None:
            self._counts["routed"] += 1
        else:
            self._counts["written"] += 1
            self._counts["with_fault"] += is_faulty

    def _fail(self, place: tuple[str, int], error: str) -> None:
        self._counts["failed"] += 1
        if len(self._failures) < FAILURES_KEPT_MAX:
            self._failures.append(Failure(file=place[0], line=place[1], error=error))


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.name.endswith(".gz") else path.open("rb")


def _lines(source: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Give each line without its end; of one that is longer than `LINE_BYTES_MAX` the beginning, and false."""
    while line := source.readline(LINE_BYTES_MAX):
        beginning, is_whole = line, len(line) < LINE_BYTES_MAX or line.endswith(b"\n")
        while line and not line.endswith(b"\n"):
            line = source.readline(LINE_BYTES_MAX)
        yield beginning.removesuffix(b"\n").removesuffix(b"\r"), is_whole
