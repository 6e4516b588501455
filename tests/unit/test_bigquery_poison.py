"""What BigQuery refuses for ever costs as little as it can: no row beside it, and not stream after stream."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.rpc.code_pb2 import Code

from schemas.errors import UnavailableError
from streams.warehouse.bigquery.lane import DOUBTS_MAX
from streams.warehouse.bigquery.rows import REFUSED
from tests.fake_bigquery.world import World, bigquery_world, one
from tests.fake_bigquery.write_service import Fault
from tests.warehouse_world import webhook_batch, webhook_body


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty dataset."""
    with bigquery_world() as made:
        yield made


def is_poison(row: dict[str, Any]) -> bool:
    """Whether it holds what the fake dislikes."""
    return "poison" in str(row.get("data"))


def tried(world: World, append: Any) -> None:  # noqa: ANN401 - a function
    """As the loader does: as often as it takes, within reason."""
    for _ in range(10):
        try:
            append()
        except UnavailableError:
            world.now_s += 60
        else:
            return
    pytest.fail("it never ends")


def test_a_row_that_is_refused_without_a_word_is_found_and_cut(world: World) -> None:
    """By halves, in one new stream; all others stay whole."""
    loader = world.prepared()
    loader.append(one(0, "first"))
    world.write.disliked = is_poison
    bodies = [webhook_body(f"e-{number}", note="poison" if number == 11 else "good") for number in range(20)]
    tried(world, lambda: loader.append([webhook_batch(bodies, 1)]))
    loader.append(one(21, "last"))

    assert 22 == len(world.rows())
    assert [12] == [row["kafka_offset"] for row in world.rows() if row["fault"] == REFUSED]
    assert 19 == sum("good" in str(row["data"]) for row in world.rows())
    assert 2 == len(world.write.streams)


def test_a_refusal_of_every_request_opens_no_stream_after_stream(world: World) -> None:
    """It is waited for."""
    loader = world.prepared()
    loader.append(one(0, "first"))
    world.write.disliked = lambda row: "metric" in row or "kafka_offset" in row
    for _ in range(20):
        with pytest.raises(UnavailableError):
            loader.append(one(1, "b"))

    assert 2 == len(world.write.streams)


def test_a_search_that_is_over_blames_no_row_for_a_stream_that_is_gone(world: World) -> None:
    """The stream is replaced, and the row stays whole."""
    loader = world.prepared()
    loader.append(one(0, "first"))
    world.write.disliked = is_poison
    bodies = [webhook_body(f"e-{number}", note="poison" if number == 1 else "good") for number in range(3)]
    tried(world, lambda: loader.append([webhook_batch(bodies, 1)]))
    for offset in (4, 5):
        loader.append([webhook_batch([webhook_body(f"e-{offset}")], offset)])
    world.write.faults.append(Fault(code=Code.INVALID_ARGUMENT))
    loader.append([webhook_batch([webhook_body("last", note="good")], 6)])

    assert (3, None) == (len(world.write.streams), world.rows()[-1]["fault"])


@pytest.mark.parametrize("code", [Code.INTERNAL, Code.UNKNOWN, Code.ABORTED])
def test_a_stream_that_is_broken_for_ever_is_given_up(world: World, code: int) -> None:
    """Another one may do; what became of the rows is asked."""
    loader = world.prepared()
    loader.append(one())
    world.write.faults.extend([Fault(code=code, how="lost"), *[Fault(code=code)] * (DOUBTS_MAX - 1)])
    tried(world, lambda: loader.append(one(1, "b")))

    assert ["a", "b"] == [row["event_id"] for row in world.rows()]
    assert (2, []) == (len(world.write.streams), world.write.faults)


def test_a_quota_or_an_outage_is_not_the_streams_fault(world: World) -> None:
    """However long it lasts."""
    loader = world.prepared()
    loader.append(one())
    for code in (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED):
        world.write.faults.extend([Fault(code=code)] * DOUBTS_MAX)
    tried(world, lambda: loader.append(one(1, "b")))

    assert 1 == len(world.write.streams)
