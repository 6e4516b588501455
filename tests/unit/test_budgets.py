"""Which partitions count for which of Customer.io's limits."""

import pytest
from faust.types import TP

from streams.delivery import budgets
from streams.kafka import lease, topic_plan
from streams.settings import Settings

SETTINGS = Settings(
    topic_prefix="t.", track_rate_per_s=240, app_rate_per_s=12, send_rate_per_s=120, broadcast_per_s=0.1
)
TODAY = {"t.user-changes": 12, "t.domain-events": 12}
ALL = {**TODAY, "t.transactional-messages": 12, "t.broadcast-triggers": 1}


async def rates(partitions: dict[str, int], *owned: tuple[str, int]) -> dict[str, float]:
    """What this worker may send, when it owns the first so many partitions of these topics."""
    made = budgets.Budgets(SETTINGS, lease.Lease(10))
    made.partitions = partitions
    await made.own([TP(topic, number) for topic, count in owned for number in range(count)])
    return {api: throttle.rate_per_s for api, throttle in made.throttles.items()}


def test_every_input_topic_counts_for_something() -> None:
    """What none counts for could never be sent."""
    assert {topic for topics in budgets.TOPICS.values() for topic in topics} == {*topic_plan.INPUTS, topic_plan.REPLAY}


async def test_a_share_is_that_of_the_partitions_of_its_topics() -> None:
    """Messages have two limits of their own, and the one partition of the broadcasts has all of its budget."""
    owned = [("t.user-changes", 4), ("t.domain-events", 2), ("t.transactional-messages", 3)]

    assert await rates(ALL, *owned) == pytest.approx({"track": 60, "app": 12 * 3 / 13, "send": 30, "broadcast": 0})
    assert (await rates(ALL, ("t.broadcast-triggers", 1)))["broadcast"] == pytest.approx(0.1)


async def test_who_owns_all_has_all() -> None:
    """However the owners divide it, the parts come to the whole."""
    assert await rates(ALL, *ALL.items()) == pytest.approx({"track": 240, "app": 12, "send": 120, "broadcast": 0.1})
    assert await rates(ALL) == {"track": 0, "app": 0, "send": 0, "broadcast": 0}


async def test_what_is_not_consumed_has_no_share() -> None:
    """Nor does it make those of the others smaller."""
    assert await rates(TODAY, *TODAY.items()) == pytest.approx({"track": 240, "app": 0, "send": 0, "broadcast": 0})
    assert await rates({"t.user-changes": 12}, ("t.user-changes", 3)) == pytest.approx(
        {"track": 60, "app": 0, "send": 0, "broadcast": 0}
    )


@pytest.mark.parametrize(
    ("rate", "partitions", "useful"),
    [(100, 12, 10), (100, 4, 4), (1_000, 12, 12), (25, 12, 2), (5, 12, 1), (0.1, 1, 1), (120, 12, 12)],
)
def test_workers_are_of_use_as_partitions_and_the_rate_allow(rate: float, partitions: int, useful: int) -> None:
    """Each needs a partition number of its own, and a share of the rate that lets it work; at least 1."""
    made = budgets.Budgets(SETTINGS.with_changes(track_rate_per_s=rate), lease.Lease(10))
    made.partitions = {"t.user-changes": partitions, "t.domain-events": partitions, "t.broadcast-triggers": 1}

    assert made.useful_replicas == useful
