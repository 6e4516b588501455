"""A simulated group coordinator: members, sessions, generations, and the range assignment of partitions.

Eager rebalances as Kafka's: everybody gives everything back, joins again, and gets a share of the new generation.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, NamedTuple

from schemas.chunk import Membership
from tests.simulation.loop import outside

SESSION_S = 10.0
REBALANCE_S = 30.0
SYNC_S = 0.05  # from the last join to everybody's news of the assignment

Beat = Literal["member", "rebalancing", "unknown"]


class Assignment(NamedTuple):
    """A member's share of a generation; the same partitions of every topic."""

    membership: Membership
    partitions: tuple[int, ...]


@dataclass(slots=True)
class Member:
    """`joining` is set while it waits for the next generation."""

    seen_s: float
    joining: "asyncio.Future[Assignment] | None" = None


@dataclass(slots=True)
class Group:
    """`tell` hears of every change."""

    partitions: int
    tell: Callable[[str], None]
    generation: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    shares: dict[str, tuple[int, ...]] = field(default_factory=dict)
    rebalancing_since_s: float | None = None
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def is_known(self, member_id: str) -> bool:
        """Whether the group has not forgotten it."""
        return member_id in self.members

    def join(self, member_id: str, name: str) -> "tuple[str, asyncio.Future[Assignment]]":
        """Wait for the next generation, as this member, or as a new one when it is not known any more."""
        if member_id not in self.members:
            member_id = f"{name}-{next(self._numbers)}"
        future: asyncio.Future[Assignment] = asyncio.get_running_loop().create_future()
        self.members[member_id] = Member(_now_s(), future)
        self._rebalance(f"{member_id} joins")
        outside(0, self._look)
        return member_id, future

    def beat(self, membership: Membership) -> Beat:
        """A heartbeat."""
        member = self.members.get(membership.member_id)
        if member is None or membership.generation != self.generation:
            return "unknown"
        member.seen_s = _now_s()
        outside(SESSION_S + 0.01, self._look)
        return "member" if self.rebalancing_since_s is None else "rebalancing"

    def leave(self, member_id: str) -> None:
        """It ends, and says so."""
        if self.members.pop(member_id, None):
            self._rebalance(f"{member_id} leaves")
            outside(0, self._look)

    def _rebalance(self, why: str) -> None:
        if self.rebalancing_since_s is None:
            self.rebalancing_since_s = _now_s()
            outside(REBALANCE_S + 0.01, self._look)
            self.tell(f"rebalance: {why}")

    def _look(self) -> None:
        """Forget whoever is silent for too long; begin the next generation when all are there."""
        now_s = _now_s()
        for member_id, member in list(self.members.items()):
            if member.joining is None and now_s >= member.seen_s + SESSION_S:
                self._forget(member_id, "its session has ended")
        since_s = self.rebalancing_since_s
        if since_s is None:
            return
        if now_s >= since_s + REBALANCE_S:
            for member_id in [each for each, member in self.members.items() if member.joining is None]:
                self._forget(member_id, "it does not join again")
        if self.members and all(member.joining for member in self.members.values()):
            self._begin()
        elif not self.members:
            self.rebalancing_since_s = None

    def _forget(self, member_id: str, why: str) -> None:
        del self.members[member_id]
        self._rebalance(f"{member_id} is forgotten: {why}")

    def _begin(self) -> None:
        self.generation += 1
        self.rebalancing_since_s = None
        self.shares = _ranges(sorted(self.members), self.partitions)
        shown = ", ".join(f"{member_id} {list(share)}" for member_id, share in self.shares.items())
        self.tell(f"generation {self.generation}: {shown}")
        for member_id, member in self.members.items():
            future, member.joining, member.seen_s = member.joining, None, _now_s()
            assert future is not None
            outside(
                SYNC_S, _resolve, future, Assignment(Membership(self.generation, member_id), self.shares[member_id])
            )
        outside(SESSION_S + 0.01, self._look)


def _resolve(future: "asyncio.Future[Assignment]", assignment: Assignment) -> None:
    if not future.done():
        future.set_result(assignment)


def _ranges(member_ids: list[str], partitions: int) -> dict[str, tuple[int, ...]]:
    size, extra = divmod(partitions, len(member_ids))
    shares, first = {}, 0
    for index, member_id in enumerate(member_ids):
        end = first + size + (index < extra)
        shares[member_id] = tuple(range(first, end))
        first = end
    return shares


def _now_s() -> float:
    return asyncio.get_running_loop().time()
