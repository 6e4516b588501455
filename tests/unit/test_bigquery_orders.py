"""Whatever happens between two steps of a takeover, each record is there once: every step, before and after it."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from schemas.errors import UnavailableError
from streams.warehouse.bigquery.warehouse import BigQueryWarehouse
from tests.fake_bigquery.world import World, bigquery_world
from tests.warehouse_world import webhook_batch, webhook_body

STEPS = [
    *(f"{when} {what}" for when in ("before", "after") for what in ("create", "note", "finalise", "append")),
    *(f"{when} {which} query" for when in ("before", "after") for which in ("first", "second")),
]


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty dataset."""
    with bigquery_world() as made:
        yield made


def load(loader: BigQueryWarehouse, first: int, end: int) -> None:
    """These offsets; as the loader does, it is tried again."""
    batch = webhook_batch([webhook_body(f"e-{offset}") for offset in range(first, end)], first)
    for _ in range(4):
        with suppress(UnavailableError):
            loader.append([batch])
            return
    pytest.fail("it cannot be loaded")


def once_at(world: World, step: str, act: Callable[[], None]) -> list[str]:
    """Let somebody act when the step is reached first; those steps at which somebody did."""
    done: list[str] = []
    queries: list[str] = []

    def reached(moment: str) -> None:
        if moment.endswith("query"):
            if moment.startswith("before") and not done:
                queries.append(moment)
            moment = f"{moment.split(maxsplit=1)[0]} {'first' if len(queries) == 1 else 'second'} query"
        if moment == step and not done:
            done.append(moment)
            act()

    world.write.at = world.rest.at = reached
    return done


def offsets(world: World) -> list[int]:
    """Of the raw table."""
    return [row["kafka_offset"] for row in world.rows()]


@pytest.mark.parametrize("step", STEPS)
def test_the_one_before_wakes_up_at_any_step(world: World, step: str) -> None:
    """It is refused, or what it adds is seen."""
    before, taker = world.prepared(), world.prepared()
    load(before, 0, 1)
    done = once_at(world, step, lambda: load(before, 1, 3))
    load(taker, 1, 4)
    world.write.at = world.rest.at = lambda _: None
    load(before, 3, 5)

    assert ([step], [0, 1, 2, 3, 4]) == (done, offsets(world))


@pytest.mark.parametrize("step", STEPS)
def test_a_third_one_takes_over_at_any_step(world: World, step: str) -> None:
    """Of two that take over at once, none misses the other."""
    before, taker, third = world.prepared(), world.prepared(), world.prepared()
    load(before, 0, 1)
    done = once_at(world, step, lambda: load(third, 1, 4))
    load(taker, 1, 3)
    world.write.at = world.rest.at = lambda _: None
    for loader in (third, taker, before):
        load(loader, 3, 6)

    assert ([step], [0, 1, 2, 3, 4, 5]) == (done, offsets(world))
