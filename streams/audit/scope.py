"""What there is to audit at one moment: where inputs end, what is committed of them, and where results end.

Asked in this order: so what arrives meanwhile raises no false alarm, and what is committed has its result among those
that are read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka.admin import AdminClient

from streams.kafka import offsets, topic_plan
from streams.kafka.clients import connected_admin, librdkafka_config
from streams.kafka.ledger_reader import LedgerReader
from streams.kafka.partition_reader import Place
from streams.kafka.refusals import require_group
from streams.kafka.topics import partition_counts, require_partitions
from streams.settings import Settings

AUDITED: Final = (*topic_plan.INPUTS, topic_plan.REPLAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Topics by their full names; of `committed`, a negative offset means that the group has none there.

    An input ends before the first transaction that is open there: no worker is given what comes after. Results end
    after the last: the transactions that are open there must end first.
    """

    admin: AdminClient
    results: str
    topics: Mapping[str, str]
    partitions: int
    ends: Mapping[Place, int]
    committed: Mapping[Place, int]

    def places(self, partition: int) -> list[Place]:
        """The inputs that have this partition."""
        return [(topic, partition) for topic in self.topics if (topic, partition) in self.ends]


def look(settings: Settings, topics: Sequence[str]) -> Scope:
    """Ask for all of it.

    Raises:
        ConfigError: a topic does not exist, or has not as many partitions as the others.
        UnavailableError: Kafka cannot be reached, or does not answer.
    """
    admin = connected_admin(settings)
    require_group(admin, settings.app_id)
    require_partitions(admin, settings, [*topics, topic_plan.RESULTS])
    names = {settings.topic(topic): topic for topic in topics}
    counts = partition_counts(admin, [*names, settings.topic(topic_plan.RESULTS)])
    inputs = [(topic, each) for topic in names for each in range(counts[topic])]
    results = settings.topic(topic_plan.RESULTS)
    ends = offsets.ends(admin, inputs, committed=True)
    committed = LedgerReader(librdkafka_config(settings), group=settings.app_id).committed(inputs)
    ends |= offsets.ends(admin, [(results, each) for each in range(counts[results])], committed=False)
    return Scope(
        admin=admin,
        results=results,
        topics=names,
        partitions=max(counts[topic] for topic in names),
        ends=ends,
        committed=committed,
    )
