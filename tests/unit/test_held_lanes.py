"""Why partitions are held, as operators are told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from schemas.send_memory import SendKind
from streams.customerio.breaker import Reason, State
from streams.delivery.build import Delivery
from streams.delivery.held_lanes import held_lanes
from streams.progress import Progress

LANE = Progress(of={"topic": "user-changes", "partition": 3}, stage="")
OTHER = Progress(of={"topic": "user-changes", "partition": 4}, stage="")
TAKE_OVER = Progress(of={"epoch": 1}, stage="")


@dataclass(slots=True)
class Standing:
    """A breaker."""

    api: str = "track"
    state: State = "closed"
    reason: Reason = ""


@dataclass(slots=True)
class Part:
    """Each of the parts that hold lanes: these, or none."""

    lanes: set[Progress] = field(default_factory=set)
    is_held: bool = True
    is_tight: bool = False

    def held(self, _: SendKind | None = None) -> set[Progress]:
        """Those."""
        return self.lanes

    def paused(self) -> set[Progress]:
        """Those."""
        return self.lanes

    def working(self) -> set[Progress]:
        """Those."""
        return self.lanes

    def is_rate_tight(self, _: SendKind | None = None) -> bool:
        """As set."""
        return self.is_tight


def standings(**reasons: Reason) -> list[Standing]:
    """All breakers, some of them open."""
    return [Standing(api, reason=reasons.get(api, "")) for api in ("track", "send", "broadcast")]


@dataclass(slots=True)
class World:
    """A worker's delivery, of which nothing is held."""

    courier: Part = field(default_factory=Part)
    guard: Part = field(default_factory=Part)
    journal: Part = field(default_factory=Part)
    lanes: Part = field(default_factory=Part)
    lease: Part = field(default_factory=Part)
    messenger: Part = field(default_factory=Part)
    breakers: Sequence[Standing] = field(default_factory=standings)

    def told(self) -> dict[tuple[str, str], int]:
        """How many, by topic and reason."""
        return dict(held_lanes(cast(Delivery, self)))


def test_nothing_is_held() -> None:
    """As a rule."""
    assert World(lanes=Part({LANE})).told() == {}


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        pytest.param(World(guard=Part({LANE})), "flood", id="a flood"),
        pytest.param(World(courier=Part({LANE}), breakers=standings(track="outage")), "outage", id="an outage"),
        pytest.param(World(courier=Part({LANE})), "retry", id="a pause between two attempts"),
        pytest.param(World(courier=Part({LANE}, is_tight=True)), "rate", id="hardly a request may go"),
        pytest.param(World(journal=Part({LANE})), "kafka", id="a transaction that failed"),
        pytest.param(World(lanes=Part({LANE, TAKE_OVER}), lease=Part(is_held=False)), "kafka", id="no word of Kafka"),
        pytest.param(
            World(messenger=Part({LANE}), breakers=standings(send="no_key")),
            "no_key",
            id="a worker without a key",
        ),
        pytest.param(World(messenger=Part({LANE}, is_tight=True)), "rate", id="hardly a send may go"),
    ],
)
def test_a_lane_is_held_for_a_reason(world: World, reason: str) -> None:
    """One partition, by its topic."""
    assert world.told() == {("user-changes", reason): 1}


def test_a_lane_counts_once() -> None:
    """For what holds it first; others of its topic count with it."""
    world = World(guard=Part({LANE, OTHER}), courier=Part({LANE}), breakers=standings(track="outage"))

    assert world.told() == {("user-changes", "flood"): 2}
