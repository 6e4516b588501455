"""Reading partitions of a real Kafka from one offset to another."""

import pytest
from confluent_kafka import Producer

from schemas.errors import ConfigError, UnavailableError
from streams.kafka import partition_reader
from streams.kafka.clients import librdkafka_config
from streams.kafka.partition_reader import PartitionReader
from streams.settings import Settings
from tests.conftest import SettingsFactory

TOPIC = "customerio-dlq"


def producer_of(settings: Settings, **more: object) -> Producer:
    """Give a producer; with a transactional id it has begun a transaction."""
    producer = Producer(librdkafka_config(settings, **more))
    if more:
        producer.init_transactions(10)
        producer.begin_transaction()
    return producer


def write(producer: Producer, settings: Settings, values: list[bytes], partition: int = 0) -> None:
    """Put these on the topic, and wait until they are there."""
    for number, value in enumerate(values):
        producer.produce(settings.topic(TOPIC), value, None, partition, timestamp=1_000 + number, headers=[("h", None)])
    assert producer.flush(10) == 0


def test_what_is_committed_is_read_in_order(settings_factory: SettingsFactory) -> None:
    """From one offset to before another, and another partition after it; what was rolled back is not there."""
    settings = settings_factory()
    place, other = (settings.topic(TOPIC), 0), (settings.topic(TOPIC), 1)
    write(producer_of(settings), settings, [b"a", b"b"])
    write(producer_of(settings), settings, [b"x"], partition=1)
    aborted = producer_of(settings, **{"transactional.id": f"{settings.app_id}-aborted"})
    write(aborted, settings, [b"never"] * 3)
    aborted.abort_transaction(10)
    write(producer_of(settings), settings, [b"c"])

    with PartitionReader(settings) as reader:
        everything = [record.value for record in reader.read_settled(place)]
        some = [(record.offset, record.value, list(record.headers)) for record in reader.read(place, 1, 2)]
        rest = [record.value for record in reader.read(place, 2)]
        beyond = [*reader.read(place, 90), *reader.read(place, 0, 0)]

        assert [b"a", b"b", b"c"] == everything
        assert ([(1, b"b", [("h", None)])], [b"c"], []) == (some, rest, beyond)
        assert [b"x"] == [record.value for record in reader.read(other)]
        assert ([0, 1], 1, 7) == (reader.partitions(place[0]), reader.offset_at(place, 1_001), reader.bounds(place)[1])
        assert 7 == reader.offset_at(place, 2_000_000_000_000)


def test_a_read_that_is_given_up_leaves_the_next_one_alone(settings_factory: SettingsFactory) -> None:
    """Two at once would take each other's records: that is refused."""
    settings = settings_factory()
    place = (settings.topic(TOPIC), 0)
    write(producer_of(settings), settings, [b"a", b"b", b"c"])

    with PartitionReader(settings) as reader:
        for _ in reader.read(place):
            with pytest.raises(AssertionError):
                next(reader.read(place))
            break

        assert [b"a", b"b", b"c"] == [record.value for record in reader.read(place)]


def test_an_open_transaction_hides_what_follows_or_is_waited_for(
    settings_factory: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading shows what is before it; reading all that is settled waits, but not for ever."""
    monkeypatch.setattr(partition_reader, "SETTLE_S", 1.0)
    settings = settings_factory()
    place = (settings.topic(TOPIC), 0)
    write(producer_of(settings), settings, [b"before"])
    writing = producer_of(settings, **{"transactional.id": f"{settings.app_id}-open"})
    write(writing, settings, [b"within"])
    write(producer_of(settings), settings, [b"behind"])

    with PartitionReader(settings) as reader:
        before = [record.value for record in reader.read(place)]
        with pytest.raises(UnavailableError, match="a transaction left open"):
            list(reader.read_settled(place))
        writing.commit_transaction(10)
        settled = [record.value for record in reader.read_settled(place)]

    assert ([b"before"], [b"before", b"within", b"behind"]) == (before, settled)


def test_what_is_not_there_is_told(settings_factory: SettingsFactory) -> None:
    """A topic by its name, a Kafka by its address."""
    settings = settings_factory(create=False)
    nowhere = settings.with_changes(kafka_bootstrap_servers="127.0.0.1:1")

    with PartitionReader(settings) as reader, pytest.raises(ConfigError, match="topics create"):
        reader.partitions(settings.topic(TOPIC))
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1 cannot be reached"), PartitionReader(nowhere):
        pass


def test_a_read_that_is_left_open_outlives_its_reader(settings_factory: SettingsFactory) -> None:
    """Whoever printed its records has left, as `head` does: no complaint follows."""
    settings = settings_factory()
    write(producer_of(settings), settings, [b"a", b"b"])
    with PartitionReader(settings) as reader:
        records = reader.read((settings.topic(TOPIC), 0))
        first = next(records)
    records.close()  # type: ignore[attr-defined] # a generator, which is more than an iterator

    assert b"a" == first.value
