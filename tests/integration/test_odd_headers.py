"""Records with header names that are not UTF-8, written to a real Kafka: a worker concludes them as any other."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder, _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition
from confluent_kafka import Producer
from structlog.testing import capture_logs

from streams.kafka.clients import librdkafka_config
from streams.kafka.odd_headers import FetchedBatches, accept_odd_headers
from streams.settings import Settings
from tests.conftest import SettingsFactory
from tests.faults import evidence
from tests.integration import worker_in_process as process

CODECS: Final = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
GOOD: Final = "trace"
ABORT_S: Final = 10.0


class _Bytes(str):
    """A header name that is written as these bytes."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:  # noqa: ANN401 - its parent's
        """Latin-1 is all bytes as they are."""
        return super().encode("latin-1")


ODD: Final = _Bytes("\xff\xfe")


@pytest.fixture(autouse=True)
def _as_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set aiokafka right for the test alone, so that none depends on an earlier one."""
    for name in ("MemoryRecords", "PartitionRecords"):
        monkeypatch.setattr(fetcher, name, getattr(fetcher, name))


@asynccontextmanager
async def _publisher(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _publish(producer: AIOKafkaProducer, tp: TopicPartition, names: Sequence[str], codec: int = 0) -> None:
    """Write one batch of records that are concluded without being sent, each with a header of that name."""
    batch = producer.create_batch()
    batch._builder = _builder(codec)
    for number, name in enumerate(names):
        batch.append(key=b"u-1", value=b"{%d" % number, timestamp=None, headers=[(name, b"1"), ("last", b"2")])
    await (await producer.send_batch(batch, tp.topic, partition=tp.partition))


def _builder(codec: int) -> Any:  # noqa: ANN401 - aiokafka's
    return _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, 0, 1_000_000)


def _letters(settings: Settings) -> Iterator[tuple[bytes | None, str, str]]:
    """Value of each dead letter and the names of its first two headers, which were its record's."""
    topic = settings.topic("customerio-dlq")
    for letter in evidence.read_committed(librdkafka_config(settings), topic, settings.topic_partitions):
        yield letter.value, letter.headers[0][0], letter.headers[1][0]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
async def test_a_record_with_an_odd_header_name_is_concluded(settings_factory: SettingsFactory, codec: int) -> None:
    """As are those around it in its batch and later ones, each once and in order; the worker works on."""
    settings = settings_factory()
    tp = TopicPartition(settings.topic("user-changes"), 0)
    async with _publisher(settings) as producer, process.running_app(settings) as worker:
        await _publish(producer, tp, [GOOD] * 3)
        await _publish(producer, tp, [GOOD, ODD, GOOD, ODD, GOOD], codec)
        await process.until(lambda: worker.delivery.lanes.position(tp.topic, 0) == 8)
        await _publish(producer, tp, [ODD], codec)
        await _publish(producer, tp, [GOOD] * 2)
        await process.until(lambda: worker.delivery.lanes.position(tp.topic, 0) == 11)

        assert not worker.crashed
    assert process.concluded(settings) == Counter((0, offset) for offset in range(11))
    good, odd = (GOOD, "last"), ("\ufffd\ufffd", "last")
    names = [good, good, good, good, odd, good, odd, good, odd, good, good]
    values = [b"{%d" % number for number in (0, 1, 2, 0, 1, 2, 3, 4, 0, 0, 1)]
    assert list(_letters(settings)) == [(value, *name) for value, name in zip(values, names, strict=True)]


async def test_a_batch_that_is_larger_than_a_chunk_is_read_on(settings_factory: SettingsFactory) -> None:
    """What a chunk has no room for comes with the next, however odd; of all that the log names the first place."""
    settings, count = settings_factory(dlq_max_share=1), 5000  # they are no flood here: all are dead letters
    tp = TopicPartition(settings.topic("user-changes"), 1)
    async with _publisher(settings) as producer:
        await _publish(producer, tp, [ODD if number % 700 == 3 else GOOD for number in range(count)], CODECS["lz4"])
    with capture_logs() as logs:
        async with process.running_app(settings) as worker:
            await process.until(lambda: worker.delivery.lanes.position(tp.topic, 1) == count)

    told = [{**entry, "event": ""} for entry in logs if entry["event"].startswith("a header name is not UTF-8")]
    assert told == [{"event": "", "log_level": "warning", "topic": tp.topic, "partition": 1, "offset": 3}]
    assert process.concluded(settings) == Counter((1, offset) for offset in range(count))


async def test_what_was_rolled_back_stays_unread(settings_factory: SettingsFactory) -> None:
    """Also beside an odd header name: batches of one fetch are still told apart by their transactions."""
    settings = settings_factory()
    tp = TopicPartition(settings.topic("user-changes"), 0)
    upstream = Producer(librdkafka_config(settings, **{"transactional.id": settings.app_id + "-up"}))
    upstream.init_transactions(ABORT_S)
    async with _publisher(settings) as producer:
        for end in (upstream.commit_transaction, upstream.abort_transaction, upstream.commit_transaction):
            upstream.begin_transaction()
            upstream.produce(tp.topic, b"{", b"u-1", tp.partition)
            upstream.flush(ABORT_S)
            await _publish(producer, tp, [ODD, GOOD])
            end(ABORT_S)
    async with process.running_app(settings) as worker:
        await process.until(lambda: worker.delivery.lanes.position(tp.topic, 0) >= 11)

    rolled_back, markers = {4}, {3, 7, 11}
    assert process.concluded(settings) == Counter((0, offset) for offset in {*range(12)} - rolled_back - markers)


def test_the_fetchers_own_are_replaced_once() -> None:
    """A second consumer in the process changes nothing."""
    accept_odd_headers()
    first = fetcher.MemoryRecords, fetcher.PartitionRecords
    accept_odd_headers()

    assert (fetcher.MemoryRecords, fetcher.PartitionRecords) == first
    assert fetcher.MemoryRecords is FetchedBatches


def test_a_good_batch_is_read_by_the_fast_parser() -> None:
    """Ours costs only who writes odd names; until one is met, nothing is parsed twice."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, 1_000_000)
    builder.append(0, 1, b"k", b"v", [(GOOD, b"1")])
    builder.append(1, 2, None, None, [("na\u00efve \ufffd", None)])
    batches = FetchedBatches(bytes(builder.build()))

    records = list(batches.next_batch())

    assert [type(record).__module__.split(".")[2] for record in records] == ["_crecords"] * 2
    assert [list(record.headers) for record in records] == [[(GOOD, b"1")], [("na\u00efve \ufffd", None)]]
    assert not batches.has_next()


def test_both_parsers_agree_but_for_the_name() -> None:
    """On every field of the records of an odd batch, those without key, value or headers among them."""
    odd, good = _builder(CODECS["gzip"]), DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, 1_000_000)
    rest: list[tuple[int, bytes | None, bytes | None]] = [(7, b"k", None), (3, None, b"v" * 300), (9, b"", b"")]
    for builder, name in ((odd, ODD), (good, "\ufffd\ufffd")):
        builder.append(0, 5, b"k", b"v", [(name, None)])
        for number, (timestamp, key, value) in enumerate(rest, start=1):
            builder.append(number, timestamp, key, value, [])

    read = [
        [(r.offset, r.timestamp, r.timestamp_type, r.key, r.value, r.checksum, list(r.headers)) for r in batch]
        for batch in (FetchedBatches(bytes(builder.build())).next_batch() for builder in (odd, good))
    ]

    assert read[0] == read[1]
    assert len(read[0]) == 4
