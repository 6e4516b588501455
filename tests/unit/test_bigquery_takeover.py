"""Places are taken over one by one, in bounded time, and let go of at the end."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from schemas.errors import UnavailableError
from streams.warehouse.bigquery.tries import TAKING_S_MAX, TRIES_MAX
from streams.warehouse.bigquery.warehouse import NOTE_US
from tests.fake_bigquery.rest import RefusedError
from tests.fake_bigquery.world import World, bigquery_world, one
from tests.fake_bigquery.write_service import Fault
from tests.warehouse_world import place, webhook_batch, webhook_body


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty dataset."""
    with bigquery_world() as made:
        yield made


def test_other_places_are_loaded_meanwhile(world: World) -> None:
    """The trouble of one stream is not that of another."""
    loader = world.prepared()
    loader.append([*one(), webhook_batch([webhook_body("b")], at=place(1))])
    world.write.streams[loader._lanes[place()].stream].is_finalised = True
    world.write.faults.extend([Fault(on="create")] * 3 * TRIES_MAX)
    told = [
        loader.append([*one(1, "c"), webhook_batch([webhook_body(event_id)], offset, at=place(1))])
        for offset, event_id in enumerate(("d", "e"), 1)
    ]

    assert [{place(): "BigQuery says UNAVAILABLE when a write stream is opened"}] * 2 == told
    assert {"a", "b", "d", "e"} == {row["event_id"] for row in world.rows()}


def test_a_place_whose_old_stream_stays_open_keeps_no_other_one(world: World) -> None:
    """It waits for its fence alone; a stream that was begun for it is used at the next try."""
    world.prepared().append(one())
    loader = world.prepared()
    world.write.faults.extend([Fault(on="finalise")] * 2 * TRIES_MAX)
    both = [*one(1, "b"), webhook_batch([webhook_body("c")], at=place(1))]
    told = loader.append(both)
    world.write.faults.clear()

    assert [place()] == list(told)
    assert {} == loader.append(both)
    assert ({"a", "b", "c"}, 3) == ({row["event_id"] for row in world.rows()}, len(world.write.streams))


def test_streams_that_are_begun_are_used_whatever_fails_behind_them(world: World) -> None:
    """None is left behind at each try."""
    loader = world.prepared()

    def refuse(sql: str) -> None:
        if "next_offset" in sql:
            raise RefusedError(412, "conditionNotMet")

    world.rest.before_query = refuse
    with pytest.raises(UnavailableError, match="does not answer"):
        loader.append(one())
    world.rest.before_query = lambda _: None
    loader.append(one())

    assert (1, 1) == (len(world.rows()), len(world.write.streams))


def test_a_takeover_is_bounded_and_goes_on_where_it_was(world: World) -> None:
    """Whoever watches the loader hears of it before it counts as stuck; no stream is opened for nothing."""
    loader = world.prepared()

    def take_long(_: str) -> None:
        world.now_s += TAKING_S_MAX

    world.write.before_append = take_long
    with pytest.raises(UnavailableError, match="BigQuery is slow"):
        loader.append(one())
    world.write.before_append = lambda _: None
    loader.append(one())

    assert (1, 1) == (len(world.rows()), len(world.write.streams))


def test_an_end_without_bigquery_is_an_end(world: World) -> None:
    """The next loader closes what stays open."""
    loader = world.prepared()
    loader.append(one())
    world.write.faults.append(Fault(on="finalise"))
    loader.close()
    loader.close()
    world.prepared().append(one(1, "b"))

    assert [True, False] == [each.is_finalised for each in world.write.streams.values()]


def test_at_the_end_every_stream_is_closed_that_can_be(world: World) -> None:
    """One that cannot be keeps neither the others open, nor the progress from being noted."""
    loader = world.prepared()
    loader.append([*one(), webhook_batch([webhook_body("b")], at=place(1))])
    loader.append([replace(webhook_batch([], 1), next_offset=7)])
    world.write.faults.append(Fault(on="finalise"))
    loader.close()

    assert [False, True] == sorted(each.is_finalised for each in world.write.streams.values())
    assert {place(): 7, place(1): 1} == world.prepared().progress()


def test_a_stream_is_closed_though_its_first_note_is_gone(world: World) -> None:
    """Whoever uses it notes it again now and then."""
    killed = world.prepared()
    killed.append(one())
    world.data.ask("DELETE FROM `p-1.crm.write_streams` WHERE TRUE", {})
    world.now_s += NOTE_US / 1e6 + 1
    killed.append(one(1, "b"))
    world.prepared().append(one(2, "c"))

    assert [True, False] == [each.is_finalised for each in world.write.streams.values()]


def test_a_takeover_that_is_always_slow_keeps_no_other_place_waiting(world: World) -> None:
    """Those that are ours come first."""
    loader = world.prepared()
    loader.append([webhook_batch([webhook_body("a")], at=place(1))])

    def take_long(_: str) -> None:
        world.now_s += TAKING_S_MAX

    world.write.at = lambda moment: take_long(moment) if moment == "before note" else None
    for offset in (1, 2):
        told = loader.append([*one(), webhook_batch([webhook_body("b")], offset, at=place(1))])
        assert {place(): "BigQuery is slow: the rest is loaded at the next try"} == told

    assert {place(1): 3} == world.prepared().progress()
