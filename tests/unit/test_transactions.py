"""What goes into a transaction, and how its failures are told apart; the real thing is held to the same elsewhere."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.chunk import Membership
from schemas.errors import FencedError, UnavailableError
from schemas.send_memory import SendEntry, SendPlace, pack_entry
from streams.kafka.ledger_reader import Committed, LedgerReader
from streams.kafka.transactions import TransactionWriter, group_metadata
from tests.builders import MEMBERSHIP, TOPICS, make_chunk, make_publication
from tests.unit.input_records import InputRecord

COMMIT, OFFSETS, ABORT = "commit_transaction", "send_offsets_to_transaction", "abort_transaction"


def error(code: int, *, abort: bool = False, retriable: bool = False, fatal: bool = False) -> KafkaException:
    """What librdkafka raises."""
    return KafkaException(KafkaError(code, "why", fatal, retriable, abort))


@dataclass(slots=True)
class FakeProducer:
    """Keeps what is called; raises what `failures` holds for a call, one at a time."""

    failures: dict[str, list[BaseException]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    produced: list[tuple[Any, ...]] = field(default_factory=list)
    offsets: list[tuple[str, int, int]] = field(default_factory=list)
    marks: list[str | None] = field(default_factory=list)
    metadata: bytes = b""

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.failures.get(name):
            raise self.failures[name].pop(0)

    def begin_transaction(self) -> None:
        """Begin."""
        self._call("begin_transaction")

    def produce(self, topic: str, value: object, key: object, partition: int, **more: object) -> None:
        """Keep a record, whose time nobody asks for here."""
        headers = more["headers"]
        if self.failures.get("produce"):
            raise self.failures["produce"].pop(0)
        self.produced.append((topic, partition, key, value, headers))

    def poll(self, _timeout: float) -> None:
        """Make room."""
        self.calls.append("poll")

    def send_offsets_to_transaction(self, offsets: Collection[Any], metadata: bytes, _timeout: float) -> None:
        """Keep the offsets."""
        self._call(OFFSETS)
        self.offsets, self.metadata = [(tp.topic, tp.partition, tp.offset) for tp in offsets], metadata
        self.marks = [tp.metadata for tp in offsets]

    def commit_transaction(self, _timeout: float) -> None:
        """Commit."""
        self._call(COMMIT)

    def abort_transaction(self, _timeout: float) -> None:
        """Abort."""
        self._call(ABORT)


@dataclass(slots=True)
class FakeReader:
    """Knows committed offsets."""

    offset: int = 0
    mark: str = ""
    asked: int = 0

    def committed_marks(self, places: Collection[tuple[str, int]]) -> dict[tuple[str, int], Committed]:
        """The same for all."""
        self.asked += 1
        return dict.fromkeys(places, Committed(self.offset, self.mark))


class Writer(TransactionWriter):
    """Takes the producers that a test made, one after the other."""

    def __init__(self, *producers: FakeProducer, reader: FakeReader | None = None) -> None:
        self.reader = reader or FakeReader()
        super().__init__(
            {},
            group="group-1",
            transactional_id="t",
            topics=TOPICS,
            reader=cast(LedgerReader, self.reader),
            advise=lambda error: f"; advice for {error.name()}",
            aborted=self._note,
        )
        self.aborts: list[str] = []
        self.producers = list(producers)

    def _note(self, cause: str) -> None:
        self.aborts.append(cause)

    def _ready_producer(self) -> Producer:
        self._producer = self._producer or cast(Producer, self.producers.pop(0))
        return self._producer


PUBLICATION = make_publication(
    make_chunk([InputRecord(topic="in", partition=3, offset=n) for n in (7, 9)]),
    letters=[(b"k", None, [("h", b"\xff")])],
    people=[(b"u-1", b"state")],
    events=[b"f" * 16],
)


def write(writer: TransactionWriter) -> None:
    """The one publication."""
    writer.write([PUBLICATION], MEMBERSHIP)


def test_all_of_a_publication_is_in_one_transaction() -> None:
    """On the partition that the records came from, with the offset after the last, under the chunk's membership."""
    producer = FakeProducer()
    write(Writer(producer))

    assert producer.calls == ["begin_transaction", OFFSETS, COMMIT]
    assert producer.produced == [
        ("results", 3, None, b"result-7", None),
        ("results", 3, None, b"result-9", None),
        ("people", 3, b"u-1", b"state", None),
        ("events", 3, b"f" * 16, b"", None),
        ("letters", 3, b"k", None, [("h", b"\xff")]),
    ]
    assert (producer.offsets, producer.metadata) == ([("in", 3, 10)], group_metadata("group-1", MEMBERSHIP))


def test_what_does_not_move_is_committed_with_the_offset_it_begins_at() -> None:
    """So that the group's generation fences it; of a partition the highest offset counts, and the last serial."""
    producer = FakeProducer()
    chunk, entry = PUBLICATION.chunk, SendEntry("intent", "message", SendPlace("in", 7))
    still = make_publication(chunk, results=[], sends=[(b"m-1", entry)], moves=False, serial=5)
    writer = Writer(producer)
    writer.write([still], MEMBERSHIP)
    first = (producer.offsets, producer.marks, list(producer.produced))
    writer.write([replace(still, serial=7), replace(PUBLICATION, serial=6)], MEMBERSHIP)

    assert first == ([("in", 3, 7)], ["t 5"], [("sends", 3, b"m-1", pack_entry(entry), None)])
    assert (producer.offsets, producer.marks) == ([("in", 3, 10)], ["t 7"])


@pytest.mark.parametrize(
    ("mark", "writes"), [("t 6", 0), ("t 5", 0), ("t 4", 1), ("", 1), ("other 9", 1), ("t", 1), ("t x", 1)]
)
def test_after_a_doubt_the_mark_tells_of_what_does_not_move(mark: str, writes: int) -> None:
    """Another's mark says that the group has moved on, which the next try finds out."""
    first, second = FakeProducer({COMMIT: [error(KafkaError._TIMED_OUT)]}), FakeProducer()
    writer = Writer(first, second, reader=FakeReader(offset=99, mark=mark))
    still = make_publication(PUBLICATION.chunk, results=[], moves=False, serial=5)
    with pytest.raises(UnavailableError):
        writer.write([still], MEMBERSHIP)
    writer.write([still], MEMBERSHIP)

    assert (writer.reader.asked, second.calls.count(COMMIT)) == (1, writes)


def test_the_metadata_names_group_generation_and_member() -> None:
    """Byte for byte as librdkafka writes it."""
    assert group_metadata("g", Membership(258, "m-1")) == b"CGMDv2:\x02\x01\x00\x00g\0m-1\0\x01"
    assert group_metadata("g", Membership(-1, "")) == b"CGMDv2:\xff\xff\xff\xffg\0\0\x01"


@pytest.mark.parametrize(
    "code", [KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS]
)
def test_a_membership_of_the_past_is_fenced(code: int) -> None:
    """Aborted and not tried again; what is written next needs no question, and a producer that has aborted nothing."""
    first, second = FakeProducer({OFFSETS: [error(code, abort=True)]}), FakeProducer()
    writer = Writer(first, second)
    with pytest.raises(FencedError):
        write(writer)
    write(writer)

    assert first.calls == ["begin_transaction", OFFSETS, ABORT]
    assert second.calls == ["begin_transaction", OFFSETS, COMMIT]
    assert writer.reader.asked == 0


@pytest.mark.parametrize("name", [OFFSETS, COMMIT])
def test_an_aborted_transaction_may_be_written_again(name: str) -> None:
    """By a new producer: the old one may go on failing. Nothing of it was committed, and no question is needed."""
    first, second = FakeProducer({name: [error(KafkaError._TIMED_OUT, abort=True)]}), FakeProducer()
    writer = Writer(first, second)
    with pytest.raises(UnavailableError):
        write(writer)
    write(writer)

    assert (first.calls[-1], second.calls[-1], writer.reader.asked) == (ABORT, COMMIT, 0)


@pytest.mark.parametrize("name", [OFFSETS, COMMIT])
def test_a_retriable_call_is_repeated_as_it_is(name: str) -> None:
    """Up to four times: so librdkafka wants it, and a new transaction would be another."""
    fine = FakeProducer({name: [error(KafkaError._TIMED_OUT, retriable=True)] * 3})
    write(Writer(fine))
    bad = FakeProducer({name: [error(KafkaError._TIMED_OUT, retriable=True)] * 4})
    with pytest.raises(UnavailableError):
        write(Writer(bad))

    assert (fine.calls.count(name), bad.calls.count(name), fine.calls.count("begin_transaction")) == (4, 4, 1)


@pytest.mark.parametrize(("committed", "writes"), [(10, 0), (9, 1), (7, 1)])
def test_after_a_doubt_only_what_is_not_committed_is_written(committed: int, writes: int) -> None:
    """A new producer ends the old transaction; then the group's offset tells how it ended."""
    first, second = FakeProducer({COMMIT: [error(KafkaError._TIMED_OUT)]}), FakeProducer()
    writer = Writer(first, second, reader=FakeReader(offset=committed))
    with pytest.raises(UnavailableError):
        write(writer)
    write(writer)

    assert (writer.reader.asked, second.calls.count(COMMIT)) == (1, writes)


@pytest.mark.parametrize("fatal", [KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError._FATAL])
def test_a_fatal_error_takes_a_new_producer(fatal: int) -> None:
    """Fenced by the broker or idle for a week: not the group's doing, so it is tried again."""
    first, second = FakeProducer({"begin_transaction": [error(fatal, fatal=True)]}), FakeProducer()
    writer = Writer(first, second)
    with pytest.raises(UnavailableError):
        write(writer)
    write(writer)

    assert (first.calls, second.calls[-1]) == (["begin_transaction"], COMMIT)


def test_a_failed_abort_leaves_a_doubt() -> None:
    """Even when the group has moved on: the next try asks first."""
    first = FakeProducer(
        {OFFSETS: [error(KafkaError.ILLEGAL_GENERATION, abort=True)], ABORT: [error(KafkaError._TIMED_OUT)]}
    )
    writer = Writer(first, FakeProducer())
    with pytest.raises(UnavailableError):
        write(writer)
    write(writer)

    assert writer.reader.asked == 1


def test_a_full_queue_is_waited_for() -> None:
    """Nothing is left out."""
    producer = FakeProducer({"produce": [BufferError(), BufferError()]})
    write(Writer(producer))

    assert (producer.calls.count("poll"), len(producer.produced)) == (2, 5)


def test_an_error_tells_no_content() -> None:
    """Its name, librdkafka's words, and what helps."""
    writer = Writer(FakeProducer({COMMIT: [error(KafkaError._TIMED_OUT)]}))
    with pytest.raises(UnavailableError, match=r"^_TIMED_OUT: why; advice for _TIMED_OUT$"):
        write(writer)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (KafkaError.ILLEGAL_GENERATION, "fenced"),
        (KafkaError.INVALID_PRODUCER_EPOCH, "producer"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "not_allowed"),
        (KafkaError.MSG_SIZE_TOO_LARGE, "too_large"),
        (KafkaError.NOT_ENOUGH_REPLICAS, "too_few_replicas"),
        (KafkaError._TIMED_OUT, "unreachable"),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, "other"),
    ],
)
def test_every_try_that_failed_is_told_by_cause(code: int, cause: str) -> None:
    """Of which there are few; one that succeeds is not told."""
    writer = Writer(FakeProducer({COMMIT: [error(code, abort=True)]}), FakeProducer())
    with pytest.raises((FencedError, UnavailableError)):
        write(writer)
    write(writer)

    assert writer.aborts == [cause]
