"""Each record is in BigQuery once, whatever happens to its loaders, its streams and its answers."""

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import pytest
from google.rpc.code_pb2 import Code

from schemas.errors import UnavailableError
from streams.warehouse.bigquery.takeover import SETTLED_S
from streams.warehouse.bigquery.warehouse import NOTE_US, BigQueryWarehouse
from streams.warehouse.port import Batch
from tests.fake_bigquery.world import World, bigquery_world
from tests.fake_bigquery.write_service import Fault, How, On, StorageCode
from tests.warehouse_world import place, webhook_batch, webhook_body

TOPIC_LENGTH: Final = 120
ONS: Final[Sequence[On]] = ("append", "append", "append", "create", "finalise")
HOWS: Final[Sequence[How]] = ("response", "call", "lost")


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty dataset."""
    with bigquery_world() as made:
        yield made


def batch_of(first: int, *event_ids: str) -> list[Batch]:
    """A batch of webhooks from this offset on."""
    return [webhook_batch([webhook_body(each) for each in event_ids], first)]


def raw(world: World) -> list[tuple[int, str]]:
    """All rows of the raw table: offset and event id."""
    rows = world.reader().read("webhooks_raw", limit=10_000)
    return sorted((row["kafka_offset"], row["event_id"]) for row in rows)


def streams_of(world: World, *, is_finalised: bool) -> int:
    """How many write streams take no rows any more, or still do."""
    return sum(each.is_finalised is is_finalised for each in world.write.streams.values())


def test_rows_whose_answer_was_lost_are_there_once(world: World) -> None:
    """The same request goes out again; ALREADY_EXISTS says that the first one was carried out."""
    loader = world.prepared()
    loader.append(batch_of(0, "a"))
    world.write.faults.append(Fault(how="lost"))
    loader.append(batch_of(1, "b", "c"))
    loader.append(batch_of(3, "d"))

    assert [(0, "a"), (1, "b"), (2, "c"), (3, "d")] == raw(world)
    assert {place(): 4} == loader.progress()
    assert 1 == len(world.write.streams)


def test_what_is_in_doubt_is_cleared_up_before_anything_else(world: World) -> None:
    """However the next batch is cut, and though the tries of one call were used up."""
    loader = world.prepared()
    loader.append(batch_of(0, "a"))
    world.write.faults.extend([Fault(how="lost"), *[Fault(how="call")] * 4])
    with pytest.raises(UnavailableError, match="UNAVAILABLE"):
        loader.append(batch_of(1, "b", "c"))
    loader.append(batch_of(1, "b"))
    loader.append(batch_of(2, "c", "d"))

    assert [(0, "a"), (1, "b"), (2, "c"), (3, "d")] == raw(world)
    assert 1 == len(world.write.streams)


def test_after_a_kill_the_next_one_goes_on_and_shuts_out_the_first(world: World) -> None:
    """A loader that wakes up after its partitions went to another one adds nothing that is there."""
    killed, following = world.prepared(), world.prepared()
    killed.append(batch_of(0, "a", "b"))
    assert {place(): 2} == following.progress()
    following.append(batch_of(2, "c"))
    killed.append(batch_of(2, "c", "d"))

    assert [(0, "a"), (1, "b"), (2, "c"), (3, "d")] == raw(world)
    assert (2, 1) == (streams_of(world, is_finalised=True), streams_of(world, is_finalised=False))


def test_a_request_that_arrives_late_is_refused(world: World) -> None:
    """It was under way when its sender was killed, and the next one has taken over meanwhile."""
    killed, following = world.prepared(), world.prepared()
    killed.append(batch_of(0, "a"))
    (first,) = world.write.streams
    is_there, may_go = threading.Event(), threading.Event()

    def hold(stream: str) -> None:
        if stream == first:
            is_there.set()
            assert may_go.wait(20)

    world.write.before_append = hold
    late = threading.Thread(target=killed.append, args=(batch_of(1, "b"),))
    late.start()
    assert is_there.wait(20)
    following.append(batch_of(1, "b", "c"))
    may_go.set()
    late.join()

    assert [(0, "a"), (1, "b"), (2, "c")] == raw(world)


def test_the_killed_ones_last_rows_are_found_at_takeover(world: World) -> None:
    """They came after the progress was asked, and before its stream was closed."""
    killed, following = world.prepared(), world.prepared()
    killed.append(batch_of(0, "a"))
    following.progress()
    killed.append(batch_of(1, "b"))
    following.append(batch_of(1, "b", "c"))

    assert [(0, "a"), (1, "b"), (2, "c")] == raw(world)


@pytest.mark.parametrize(
    "storage", [StorageCode.STREAM_FINALIZED, StorageCode.OFFSET_OUT_OF_RANGE, StorageCode.STREAM_NOT_FOUND, 0]
)
def test_a_stream_that_is_not_as_believed_is_replaced(world: World, storage: int) -> None:
    """BigQuery closes streams that lie idle, too; the place is taken over anew."""
    loader = world.prepared()
    loader.append(batch_of(0, "a"))
    world.write.faults.append(Fault(code=Code.INVALID_ARGUMENT, storage=storage))
    loader.append(batch_of(1, "b"))

    assert [(0, "a"), (1, "b")] == raw(world)
    assert (1, 1) == (streams_of(world, is_finalised=True), streams_of(world, is_finalised=False))


@pytest.mark.parametrize("code", [Code.NOT_FOUND, Code.PERMISSION_DENIED, Code.INVALID_ARGUMENT])
def test_a_young_stream_that_is_not_known_is_waited_for(world: World, code: int) -> None:
    """BigQuery may not know it yet, and it could still take rows; an hour later it is taken to be gone."""
    killed, following = world.prepared(), world.prepared()
    killed.append(batch_of(0, "a"))
    world.write.faults.extend([Fault(on="finalise", code=code)] * 20)
    with pytest.raises(UnavailableError, match="does not close a write stream"):
        following.append(batch_of(1, "b"))
    world.now_s += SETTLED_S + 1
    following.append(batch_of(1, "b"))

    assert [(0, "a"), (1, "b")] == raw(world)


def test_an_old_stream_that_is_refused_otherwise_is_not_taken_to_be_gone(world: World) -> None:
    """Only one that BigQuery does not know takes no rows for sure."""
    world.prepared().append(batch_of(0, "a"))
    world.now_s += SETTLED_S + 1
    world.write.faults.extend([Fault(on="finalise", code=Code.OUT_OF_RANGE)] * 5)
    with pytest.raises(UnavailableError, match="does not close a write stream"):
        world.warehouse().append(batch_of(1, "b"))


def test_who_ends_in_order_leaves_nothing_to_close(world: World) -> None:
    """And notes what has no rows: the next one goes on behind it."""
    ending = world.prepared()
    ending.append(batch_of(0, "a"))
    ending.append([replace(webhook_batch([], 1), next_offset=5)])
    ending.close()
    following = world.prepared()

    assert {place(): 5} == following.progress()
    assert (1, 0) == (streams_of(world, is_finalised=True), streams_of(world, is_finalised=False))


def test_rows_that_somebody_deletes_do_not_come_back(world: World) -> None:
    """Progress is noted now and then, so that it does not stand on rows alone."""
    killed = world.prepared()
    killed.append(batch_of(0, "a"))
    world.now_s += NOTE_US / 1e6 + 1
    killed.append(batch_of(1, "b"))
    world.data.ask("DELETE FROM `p-1.crm.webhooks_raw` WHERE TRUE", {})

    assert {place(): 2} == world.prepared().progress()


@pytest.mark.parametrize("seed", range(5))
def test_every_record_is_there_once_through_anything(world: World, seed: int) -> None:
    """Loaders that die, wake up, share a partition by mistake, and a BigQuery that fails in every way it knows."""
    chance = random.Random(seed)
    world.prepared()
    loaders = [world.warehouse()]
    position = 0
    while position < TOPIC_LENGTH:
        world.write.faults.extend(_weather(chance))
        if chance.random() < 0.2 and len(loaders) < 5:
            loaders.append(world.warehouse())
        loader = chance.choice(loaders)
        if chance.random() < 0.1:
            loaders.remove(loader)
            loaders.append(world.warehouse())
        position = _turn(loader, chance)

    assert {(offset, f"e-{offset}"): 1 for offset in range(TOPIC_LENGTH)} == Counter(raw(world))


def _weather(chance: random.Random) -> list[Fault]:
    if chance.random() < 0.5:
        return []
    on = chance.choice(ONS)
    code, storage = chance.choice(
        [
            (Code.UNAVAILABLE, 0),
            (Code.INTERNAL, 0),
            (Code.RESOURCE_EXHAUSTED, 0),
            (Code.ABORTED, 0),
            (Code.OUT_OF_RANGE, StorageCode.OFFSET_OUT_OF_RANGE),
            (Code.INVALID_ARGUMENT, StorageCode.STREAM_FINALIZED) if on == "append" else (Code.DEADLINE_EXCEEDED, 0),
        ]
    )
    return [Fault(on=on, code=code, storage=storage, how=chance.choice(HOWS))] * chance.choice([1, 1, 2, 7])


def _turn(loader: BigQueryWarehouse, chance: random.Random) -> int:
    """Load the next records, from where the warehouse says, or from where this loader thinks it is."""
    try:
        known = loader.progress() if chance.random() < 0.5 else loader._reached
        start = known.get(place(), 0)
        ids = [f"e-{offset}" for offset in range(start, min(start + chance.randint(1, 9), TOPIC_LENGTH))]
        loader.append(batch_of(start, *ids))
        return start + len(ids)
    except UnavailableError:
        return 0
