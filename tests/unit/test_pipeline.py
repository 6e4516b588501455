"""From a chunk to one publication: every record once, and nothing remembered that is not committed."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from agents.desk import Outside
from agents.pipeline import RECORDS_AT_A_TIME, Pipeline
from agents.plans.domain_events import DomainEventsPlan
from agents.plans.replay import ReplayPlan
from agents.plans.user_changes import UserChangesPlan
from agents.ports import Publication
from schemas.delivery import Parcel, Verdict
from schemas.errors import FencedError
from schemas.person_state import unpack
from streams.delivery.flood_guard import FloodGuard
from streams.delivery.turns import Turns
from tests.builders import make_change, make_chunk, operations_of, settle_down
from tests.fakes import FakeCourier, FakeJournal, FakeLedger, FakeMessenger, FakeObserver
from tests.flood_world import FakeResumed
from tests.replays import replay_of
from tests.unit.input_records import InputRecord, make_event

NOW_MS = 1_795_341_600_999


class SlowCourier(FakeCourier):
    """Lets others work before it delivers."""

    async def deliver(self, parcels: Sequence[Parcel]) -> list[Verdict]:
        """A few turns later."""
        await settle_down()
        return await super().deliver(parcels)


class World:
    """A pipeline over fakes."""

    def __init__(self, *, courier: FakeCourier | None = None, journal: FakeJournal | None = None) -> None:
        self.courier = courier or FakeCourier()
        self.journal = journal or FakeJournal()
        self.ledger = FakeLedger()
        self.observer = FakeObserver()
        self.resumed = FakeResumed()
        outside = Outside(
            courier=self.courier,
            messenger=FakeMessenger(),
            journal=self.journal,
            ledger=self.ledger,
            observer=self.observer,
            clock_ms=lambda: NOW_MS,
            group="group-1",
        )
        guard = FloodGuard(share_max=0.5, exempt=(), resumed=self.resumed, observer=self.observer)
        self.pipeline = Pipeline(outside=outside, turns=Turns(), guard=guard)

    async def changes(self, records: Sequence[InputRecord]) -> Publication:
        """Process a chunk of user changes; what was committed of it."""
        await self.pipeline.process(make_chunk(records), UserChangesPlan)
        return self.journal.published[-1]


def results(publication: Publication) -> list[dict[str, Any]]:
    """By offset."""
    return sorted((orjson.loads(value) for _, value in publication.results), key=lambda each: each["source"]["offset"])


async def test_every_record_has_one_result_under_its_key() -> None:
    """Delivered, duplicate and dead alike."""
    world = World()
    records = [make_change(offset=0), make_change(offset=1), InputRecord(key=b"k", value=b"{", offset=2)]
    publication = await world.changes(records)

    assert [(each["source"]["offset"], each["outcome"]) for each in results(publication)] == [
        (0, "delivered"),
        (1, "duplicate"),
        (2, "dead"),
    ]
    assert Counter(key for key, _ in publication.results) == {b"u-1": 2, b"k": 1}
    assert {each["processed_at"] for each in results(publication)} == {"2026-11-22T10:00:00.999Z"}
    assert publication.concluded_s == NOW_MS / 1000


async def test_a_dead_letter_is_the_record_byte_for_byte() -> None:
    """Key, value and headers as they came, whatever they are."""
    world = World()
    record = InputRecord(key=b"\xff", value=b"\x00{", headers=[("h", b"\xfe")])
    ((key, value, headers),) = (await world.changes([record, make_change(offset=1)])).letters

    assert (key, value, headers[0]) == (b"\xff", b"\x00{", ("h", b"\xfe"))
    assert (dict(headers)["__dlq.errors.group"], dict(headers)["cio.reason"]) == (b"group-1", b"malformed")
    assert dict(headers)["cio.failed_at"] == b"2026-11-22T10:00:00.999Z"


async def test_what_is_committed_is_remembered_and_counted() -> None:
    """So that the next chunk's repeat is a duplicate."""
    world = World()
    await world.changes([make_change(offset=0)])
    publication = await world.changes([make_change(offset=1)])

    assert [each["outcome"] for each in results(publication)] == ["duplicate"]
    assert world.observer.counts == {("delivered", None): 1, ("duplicate", "fingerprint"): 1}
    assert operations_of(world.courier.waves) == [["identify"]]


async def test_events_are_remembered_too() -> None:
    """By fingerprint."""
    world = World()
    for offset in range(2):
        await world.pipeline.process(make_chunk([make_event(id="e-1")], start=offset), DomainEventsPlan)

    assert world.observer.counts == {("delivered", None): 1, ("duplicate", "fingerprint"): 1}
    assert [len(each.events) for each in world.journal.published] == [1, 0]


async def test_what_is_fenced_is_neither_remembered_nor_counted() -> None:
    """It is delivered again to whoever has the partition now."""
    world = World(journal=FakeJournal(error=FencedError()))
    with pytest.raises(FencedError):
        await world.pipeline.process(make_chunk([make_change()]), UserChangesPlan)

    assert (world.ledger.remembered, world.observer.counts) == ([], Counter())


async def test_a_wave_is_sent_only_after_the_one_before_it() -> None:
    """Order between them is what waves are for."""
    world = World()
    out = {"marketing": False, "transactional": False}
    await world.changes([make_change(offset=0), make_change(offset=1, preferences=out)])

    assert operations_of(world.courier.waves) == [["identify"], ["suppress"]]


async def test_a_chunk_with_nothing_to_send_is_concluded_all_the_same() -> None:
    """Its offset must move on."""
    world = World()
    publication = await world.changes([InputRecord(value=b"{")])

    assert (len(publication.results), world.courier.waves) == (1, [])


async def test_a_large_chunk_lets_others_work() -> None:
    """Heartbeats and other lanes get their turn while it is translated, and its neighbours merge all the same."""
    world = World()
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while not world.courier.waves:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    await world.changes([make_change(offset=n, plan=str(n)) for n in range(3 * RECORDS_AT_A_TIME)])
    await counting

    assert turns >= 3
    assert operations_of(world.courier.waves) == [["identify"]]


async def test_a_refusal_is_a_dead_letter_with_its_status() -> None:
    """And the ledger knows nothing of it."""

    def refuse(_: Parcel) -> bool:
        return False

    world = World(courier=FakeCourier(decides=refuse))
    publication = await world.changes([make_change()])
    ((_, value, headers),) = publication.letters

    assert (value, dict(headers)["cio.status"], publication.people) == (make_change().value, b"207", [])


async def test_letters_lie_in_the_order_of_their_records() -> None:
    """Also where they were concluded in another one, so that a person's are replayed in it."""
    world = World(courier=FakeCourier(decides=lambda _: False))
    records = [make_change("b", offset=0), InputRecord(key=b"a", value=b"{", offset=1), make_change("b", offset=2)]
    publication = await world.changes([*records, make_change("a", offset=3)])

    assert [dict(headers)["__dlq.errors.offset"] for _, _, headers in publication.letters] == [b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize("is_replay_first", [True, False])
async def test_a_replay_and_a_live_change_of_a_person_do_not_overlap(*, is_replay_first: bool) -> None:
    """Whichever comes second knows what the first has delivered."""
    world = World(courier=SlowCourier())
    older = make_chunk([replay_of(make_change(offset=0, plan="old"))]), ReplayPlan
    newer = make_chunk([make_change(offset=1, plan="new")]), UserChangesPlan
    works = [older, newer] if is_replay_first else [newer, older]
    async with asyncio.TaskGroup() as group:
        for chunk, plan in works:
            group.create_task(world.pipeline.process(chunk, plan))
    outcomes = [result["outcome"] for each in world.journal.published for result in results(each)]

    assert outcomes == (["delivered", "delivered"] if is_replay_first else ["delivered", "superseded"])
    assert unpack(world.ledger.kept.people[b"u-1"]).offset == 1
