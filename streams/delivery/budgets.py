"""The fleet's budgets of requests, one for each limit that Customer.io sets, and this worker's share of each.

The table says which input topics count for which budget; the share is that of their partitions which are ours.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal

from faust.types import TP

from streams.delivery.throttle import Throttle
from streams.kafka.lease import Lease
from streams.kafka.topic_plan import BROADCAST_TRIGGERS, DOMAIN_EVENTS, REPLAY, TRANSACTIONAL_MESSAGES, USER_CHANGES
from streams.settings import Settings

Api = Literal["track", "app", "send", "broadcast"]
SENDS: Final[Collection[Api]] = ("send", "broadcast")

TOPICS: Final[Mapping[Api, Collection[str]]] = {
    "track": (USER_CHANGES, DOMAIN_EVENTS, REPLAY),
    "app": (TRANSACTIONAL_MESSAGES, BROADCAST_TRIGGERS),
    "send": (TRANSACTIONAL_MESSAGES,),
    "broadcast": (BROADCAST_TRIGGERS,),
}


REQUESTS_PER_WORKER_PER_S: Final = 10.0
"""Of the Track API: a worker with a trickle sends about 7 (see `PACE_S`), one with a backlog about 20. With a smaller
share of the rate workers wait for it instead of for records, and one more only makes the others' shares smaller."""


class Budgets:
    """`partitions` counts those of each topic (full name) that the fleet consumes, no others: only these have a share.

    Nobody asks the others of the fleet: as long as a partition has one owner, the shares never exceed the whole.
    `admissions` let sends in at the same rate, before their intents are written; `throttles` let requests out.
    """

    def __init__(self, settings: Settings, lease: Lease) -> None:
        rates: dict[Api, float] = {
            "track": settings.track_rate_per_s,
            "app": settings.app_rate_per_s,
            "send": settings.send_rate_per_s,
            "broadcast": settings.broadcast_per_s,
        }
        self.partitions: Mapping[str, int] = {}
        self._track_rate_per_s = settings.track_rate_per_s
        self.throttles = {api: Throttle(rate, lease) for api, rate in rates.items()}
        self.admissions = {api: Throttle(rates[api], lease) for api in SENDS}
        self._topics = {api: [settings.topic(name) for name in names] for api, names in TOPICS.items()}

    @property
    def useful_replicas(self) -> int:
        """How many workers are of use: as many as have a partition number to themselves, and enough of the rate."""
        of_partitions = max(self.partitions.values(), default=1)
        of_rate = int(self._track_rate_per_s / REQUESTS_PER_WORKER_PER_S)
        return max(1, min(of_partitions, of_rate))

    async def own(self, partitions: Collection[TP]) -> None:
        """Take the share that goes with these partitions, and no more."""
        for api, topics in self._topics.items():
            total = sum(self.partitions.get(topic, 0) for topic in topics)
            ours = sum(tp.topic in topics for tp in partitions)
            share = ours / total if total else 0.0
            await self.throttles[api].set_share(share)
            if admission := self.admissions.get(api):
                await admission.set_share(share)
