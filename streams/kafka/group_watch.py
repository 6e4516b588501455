"""Says what keeps a consumer from its group or its partitions, again and again while it lasts, and lets it go on after.

aiokafka tells of some faults once, of others never; what it was refused it asks for again only once that was noted.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import structlog
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from streams.kafka.lease import Lease

LOOK_S = 5.0
PATIENCE_S = 15.0  # joining a group takes a while

log = structlog.get_logger()


class GroupWatch:
    """Looks at aiokafka's group coordinator, in the thread that it runs in."""

    def __init__(self, coordinator: Any, lease: Lease, *, group: str) -> None:  # noqa: ANN401 - aiokafka is untyped
        self._coordinator = coordinator
        self._cluster = coordinator._client.cluster  # noqa: SLF001 - a test holds aiokafka to it
        self._subscription = coordinator._subscription  # noqa: SLF001 - as above
        self._lease = lease
        self._group = group
        self._held_s = lease.now_s()

    async def run(self) -> None:
        """Look until cancelled.

        Raises:
            KafkaError: aiokafka has given up for good.
        """
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Say what is wrong now."""
        self._take_note()
        for complaint in self._complaints():
            log.warning("waiting for Kafka", why=complaint)

    def _take_note(self) -> None:
        """Take what it was refused off its hands, else it waits for that; it must join anew, heartbeats have ended."""
        try:
            self._coordinator.check_errors()
        except KafkaError as error:
            if self._coordinator._coordination_task.done():  # noqa: SLF001 - as above
                raise
            log.warning("waiting for Kafka", why=self._refusal(error))
            self._coordinator.request_rejoin()

    def _refusal(self, error: KafkaError) -> str:
        if isinstance(error, GroupAuthorizationFailedError):
            return f"not allowed into consumer group {self._group}: allow READ on it"
        return f"consumer group {self._group} refuses us: {type(error).__name__}: {error}"

    def _complaints(self) -> Iterator[str]:
        now_s = self._lease.now_s()
        if self._lease.is_held:
            self._held_s = now_s
        elif now_s - self._held_s > PATIENCE_S:
            silent_s = now_s - self._held_s
            yield f"no word from consumer group {self._group} for {silent_s:.0f} s; until then nothing is sent"
        yield from self._missing_topics()
        leaderless = [tp for tp in self._subscription.assigned_partitions() if self._has_no_leader(tp)]
        if leaderless:
            names = ", ".join(sorted(f"{tp.topic}/{tp.partition}" for tp in leaderless))
            yield f"without leader, so not read: {names}: see to the brokers that hold them"

    def _missing_topics(self) -> Iterator[str]:
        missing = [topic for topic in self._subscription.topics if not self._cluster.partitions_for_topic(topic)]
        for topic in sorted(missing):
            if topic in self._cluster.unauthorized_topics:
                yield f"not allowed to see {topic}, so it is not read: allow READ and DESCRIBE on it"
            else:
                yield f"{topic} does not exist, so it is not read: run `cio-streams topics create`"
        if missing:
            self._coordinator._client.force_metadata_update()  # noqa: SLF001 - as above; by itself after minutes

    def _has_no_leader(self, tp: Any) -> bool:  # noqa: ANN401 - as above
        return self._cluster.leader_for_partition(tp) in {None, -1}
