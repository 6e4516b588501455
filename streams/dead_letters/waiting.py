"""Says where workers have records waiting: what these deliver first may change what a rehearsal has found."""

from collections.abc import Collection

from streams.kafka import topic_plan
from streams.kafka.clients import librdkafka_config
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.partition_reader import PartitionReader, Place
from streams.settings import Settings

LIVE = (*topic_plan.INPUTS, topic_plan.REPLAY)


def waiting(settings: Settings, partitions: Collection[int]) -> list[str]:
    """Give the places, `TOPIC/PARTITION`, of these partition numbers that hold records which no worker has come to.

    Raises:
        UnavailableError: Kafka does not answer.
    """
    with PartitionReader(settings) as reader:
        counts = {topic: set(reader.partitions(topic)) for topic in map(settings.topic, LIVE)}
        places = [(topic, each) for topic, there in counts.items() for each in sorted(there & set(partitions))]
        committed = LedgerReader(librdkafka_config(settings), group=settings.app_id).committed(places)
        return [f"{place[0]}/{place[1]}" for place in places if _holds_one(reader, place, max(0, committed[place]))]


def _holds_one(reader: PartitionReader, place: Place, start: int) -> bool:
    """Whether a record lies from there on: what ends a transaction is none."""
    _, end = reader.bounds(place)
    return start < end and any(True for _ in reader.read(place, start))
