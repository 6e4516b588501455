"""The rate of a whole fleet, on a clock of its own: workers come and go, and nobody tells the others what it sends.

A rebalance is as the consumer group makes it: all drain, each at its own pace, and only then does anybody take over.
"""

import asyncio
import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from faust.types import TP

from streams.delivery.budgets import Budgets
from streams.delivery.throttle import LATE_S
from streams.kafka.lease import Lease
from streams.settings import Settings
from tests.fake_time import in_fake_time
from tests.rate_windows import busiest_second, most_in_a_second

PARTITIONS = {"user-changes": 12, "domain-events": 12}
RATES = [0.1, 0.7, 2.0, 9.0, 20.0, 50.0, 100.0, 1000.0]
SLOTS = 6
DRAIN_S = 2.0
RESTORE_S = 1.0


class Member:
    """One worker: its budgets, its lease, and what takes from its rate."""

    def __init__(self, settings: Settings) -> None:
        self.lease = Lease(math.inf)
        self.lease.renew(self.lease.now_s())
        self.budgets = Budgets(settings, self.lease)
        self.budgets.partitions = PARTITIONS
        self.work: list[asyncio.Task[None]] = []


@dataclass(kw_only=True)
class Fleet:
    """Members that share `rate`; `arrivals` has the moments of their requests, from each drain to the next."""

    rate: float
    chance: random.Random
    has_backlog: bool
    arrivals: list[list[float]] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)

    async def become(self, size: int) -> None:
        """Members join, or leave in order."""
        await asyncio.gather(*map(self._drain, self.members))
        self.arrivals.append([])
        self.members = self.members[:size]
        while len(self.members) < size:
            self.members.append(Member(Settings(track_rate_per_s=self.rate)))
        await asyncio.gather(*(self._take_over(member, place) for place, member in enumerate(self.members)))

    async def _drain(self, member: Member) -> None:
        await asyncio.sleep(self.chance.uniform(0, DRAIN_S))
        for task in member.work:
            task.cancel()
        await asyncio.wait(member.work)
        await member.budgets.own(())

    async def _take_over(self, member: Member, place: int) -> None:
        await asyncio.sleep(self.chance.uniform(0, RESTORE_S))
        own = [TP(topic, n) for topic, count in PARTITIONS.items() for n in range(place, count, len(self.members))]
        await member.budgets.own(own)
        member.work = [asyncio.create_task(self._send(member)) for _ in range(SLOTS)]

    async def _send(self, member: Member) -> None:
        now_s = asyncio.get_running_loop().time
        while True:
            await member.budgets.throttles["track"].acquire()
            self.arrivals[-1].append(now_s() + (0 if self.has_backlog else self.chance.uniform(0, LATE_S)))
            if not self.has_backlog and self.chance.random() < 0.05:
                await asyncio.sleep(self.chance.expovariate(self.rate / 20))

    async def lose_a_lease(self) -> None:
        """One member is cut off from Kafka for a while, or stopped."""
        member = self.chance.choice(self.members)
        member.lease.end()
        await asyncio.sleep(self.chance.uniform(0, 5))
        member.lease.renew(member.lease.now_s())


async def arrivals_of_a_fleet(seed: int, rate: float, sizes: Sequence[int]) -> list[list[float]]:
    """Of requests that come and go, through rebalances and lost leases."""
    chance = random.Random(seed)
    fleet = Fleet(rate=rate, chance=chance, has_backlog=False)
    for size in sizes:
        await fleet.become(size)
        await asyncio.sleep(chance.uniform(0, 2 + 5 / rate))
        if chance.random() < 0.5:
            await fleet.lose_a_lease()
            await asyncio.sleep(1)
    return fleet.arrivals


@pytest.mark.parametrize("seed", range(40))
def test_no_second_is_above_the_rate(seed: int) -> None:
    """Whatever the rate, whoever joins and leaves, is busy or idle, late on the wire, or cut off from Kafka."""
    chance = random.Random(seed)
    rate = RATES[seed % len(RATES)]
    sizes = [chance.randint(1, 5) for _ in range(8)]
    arrivals = in_fake_time(arrivals_of_a_fleet(seed, rate, sizes))

    assert sum(map(len, arrivals)) >= 8
    for (size, before), (next_size, after) in itertools.pairwise(zip(sizes, arrivals, strict=True)):
        assert busiest_second(before + after) <= most_in_a_second(rate, max(size, next_size))


async def used_by_a_fleet(rate: float, sizes: Sequence[int]) -> list[float]:
    """The part of the rate that each size of the fleet used, once all its members had begun."""
    fleet = Fleet(rate=rate, chance=random.Random(1), has_backlog=True)
    now_s = asyncio.get_running_loop().time
    used = []
    for size in sizes:
        await fleet.become(size)
        began_s, before = now_s(), len(fleet.arrivals[-1])
        await asyncio.sleep(max(2, 60 * size / rate))
        used.append((len(fleet.arrivals[-1]) - before) / rate / (now_s() - began_s))
    return used


@pytest.mark.parametrize("rate", RATES)
def test_a_backlog_uses_the_rate(rate: float) -> None:
    """At least nine tenths of it, for one worker, three, and one again."""
    used = in_fake_time(used_by_a_fleet(rate, [1, 3, 1]))

    assert min(used) >= 0.9
    assert max(used) <= 1
