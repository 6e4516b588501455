"""Each fake against the real thing it stands for: one suite, two runs."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.ports import Publication
from schemas.answer import Answer
from schemas.chunk import Membership
from schemas.errors import FencedError
from streams.customerio.track import TrackClient
from streams.delivery.journal import Writer
from streams.kafka.clients import librdkafka_config
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.transactions import OutputTopics, TransactionWriter
from streams.sandbox.app import create_app
from streams.sandbox.options import SandboxOptions
from streams.sandbox.world import World
from streams.settings import Settings
from tests.builders import make_chunk, make_publication, track_client
from tests.fake_customerio import FakeCustomerIo
from tests.fakes import FakeWriter
from tests.unit.input_records import InputRecord

IDENTIFY = b'{"type":"person","action":"identify","identifiers":{"id":"u-1"},"attributes":{"plan":"pro"}}'
NO_ACTION = b'{"type":"person","identifiers":{"id":"u-1"}}'
LARGE = IDENTIFY.replace(b'"pro"', b'"' + b"x" * 33_000 + b'"')


def sandbox() -> httpx.AsyncBaseTransport:
    """The sandbox, without a socket."""
    options = SandboxOptions()
    return httpx.ASGITransport(create_app(World(options=options), options=options))


@pytest.fixture(params=[FakeCustomerIo, sandbox], ids=["fake", "sandbox"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[TrackClient]:
    """Our client on either."""
    made = track_client(transport=request.param())
    yield made
    await made.close()


def errors(answer: object) -> tuple[int, list[Any]]:
    """Status, and the index that each error names."""
    assert isinstance(answer, Answer)
    return answer.status, [
        each.get("batch_index") for each in httpx.Response(200, content=answer.body).json()["errors"]
    ]


def is_taken(answer: object) -> bool:
    """200 and nothing else to say."""
    return isinstance(answer, Answer) and answer.status == 200 and answer.body.strip() == b"{}"


async def test_good_operations_are_taken(client: TrackClient) -> None:
    """By all three endpoints."""
    assert is_taken(await client.batch(b'{"batch":[' + IDENTIFY + b"," + IDENTIFY + b"]}"))
    assert is_taken(await client.entity(IDENTIFY))
    assert is_taken(await client.anonymous_event(b'{"name":"seen","anonymous_id":"a-1","data":{}}'))


async def test_bad_items_of_a_batch_are_named(client: TrackClient) -> None:
    """A 207 with their places; the others are taken."""
    items = b",".join([IDENTIFY, NO_ACTION, IDENTIFY, LARGE])

    assert errors(await client.batch(b'{"batch":[' + items + b"]}")) == (207, [1, 3])


@pytest.mark.parametrize("body", [NO_ACTION, LARGE, b"{"], ids=["no action", "large", "no json"])
async def test_a_bad_operation_alone_is_refused(client: TrackClient, body: bytes) -> None:
    """A 400, whose errors name no place."""
    assert errors(await client.entity(body)) == (400, [None])


async def test_a_bad_batch_is_refused_as_a_whole(client: TrackClient) -> None:
    """What is no JSON has no items."""
    assert errors(await client.batch(b"{")) == (400, [None])


async def test_the_region_is_told(client: TrackClient) -> None:
    """So that `check` can find a wrong one."""
    answer = await client.region()
    assert isinstance(answer, Answer)

    assert (answer.status, httpx.Response(200, content=answer.body).json()["region"]) == (200, "us")


class RealGroup:
    """A transaction writer on the real Kafka, with a consumer that is the group's only member."""

    def __init__(self, settings: Settings) -> None:
        self.topic = settings.topic("user-changes")
        self._config = librdkafka_config(settings)
        self._results = settings.topic("customerio-results")
        self._group = settings.app_id
        self._consumer = Consumer({**self._config, "group.id": self._group, "session.timeout.ms": 10_000})
        self._consumer.subscribe([self.topic])
        while not self._consumer.assignment():
            self._consumer.poll(0.2)
        told = bytes(self._consumer.consumer_group_metadata()).removeprefix(b"CGMDv2:")
        member = told[4:].split(b"\0")[1].decode()
        self.membership = Membership(int.from_bytes(told[:4], "little", signed=True), member)
        reader = LedgerReader(self._config, group=self._group)
        topics = OutputTopics.of(settings)
        self.writer: Writer = TransactionWriter(
            self._config, group=self._group, transactional_id=f"t-{uuid.uuid4()}", topics=topics, reader=reader
        )

    def committed(self, partition: int) -> int | None:
        """The group's offset."""
        (found,) = self._consumer.committed([TopicPartition(self.topic, partition)], timeout=10)
        return found.offset if found.offset >= 0 else None

    def results(self) -> list[bytes]:
        """All that a reader of committed records sees."""
        reading = {**self._config, "group.id": "r", "isolation.level": "read_committed", "enable.partition.eof": True}
        consumer = Consumer(reading)
        partitions = AdminClient(self._config).list_topics(self._results, timeout=10).topics[self._results].partitions
        consumer.assign([TopicPartition(self._results, number, 0) for number in partitions])
        values, ends = [], 0
        while ends < len(partitions):
            message = consumer.poll(10)
            assert message is not None
            if message.error():
                ends += 1
            else:
                values.append(message.value() or b"")
        consumer.close()
        return sorted(values)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()


class FakeGroup:
    """The fake writer, seen the same way."""

    topic = "user-changes"

    def __init__(self) -> None:
        self._fake = FakeWriter()
        self.writer: Writer = self._fake
        self.membership = Membership(self._fake.generation, "member-1")

    def committed(self, partition: int) -> int | None:
        """The group's offset."""
        return self._fake.committed.get((self.topic, partition))

    def results(self) -> list[bytes]:
        """All that was committed."""
        return sorted(value for _, value in self._fake.results)

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture(params=["fake", "kafka"])
def group(request: pytest.FixtureRequest) -> Iterator[RealGroup | FakeGroup]:
    """Either; the real one only asks for Kafka when it is its turn."""
    if request.param == "fake":
        yield FakeGroup()
        return
    make_settings: Callable[[], Settings] = request.getfixturevalue("settings_factory")
    made = RealGroup(make_settings())
    yield made
    made.close()


def publication(group: RealGroup | FakeGroup, partition: int, *offsets: int) -> Publication:
    """A chunk's results."""
    return make_publication(
        make_chunk([InputRecord(topic=group.topic, partition=partition, offset=each) for each in offsets])
    )


def test_results_and_offsets_are_committed_together(group: RealGroup | FakeGroup) -> None:
    """Of several chunks in one call."""
    group.writer.write([publication(group, 0, 3, 5), publication(group, 1, 7)], group.membership)

    assert group.results() == [b"result-3", b"result-5", b"result-7"]
    assert (group.committed(0), group.committed(1)) == (6, 8)


def test_a_membership_of_the_past_commits_nothing(group: RealGroup | FakeGroup) -> None:
    """Neither result nor offset; the current one still can."""
    past = group.membership._replace(generation=group.membership.generation - 1)
    with pytest.raises(FencedError):
        group.writer.write([publication(group, 0, 3)], past)
    assert (group.results(), group.committed(0)) == ([], None)

    group.writer.write([publication(group, 0, 3)], group.membership)
    assert (group.results(), group.committed(0)) == ([b"result-3"], 4)
