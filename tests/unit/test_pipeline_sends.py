"""A chunk of sends through the pipeline: every result once, each as soon as it is known, and offsets that meet."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson
import pytest

from agents.desk import Outside
from agents.pipeline import Pipeline
from agents.plans.replay import ReplayPlan
from agents.plans.sends import RECORDS_AT_ONCE, SendsPlan
from agents.ports import Errand, Publication
from agents.steps.translate_send import translate_message
from schemas.delivery import Parcel, Verdict
from schemas.errors import FencedError
from streams.delivery.flood_guard import FloodGuard
from streams.delivery.turns import Turns
from tests.builders import make_change, make_chunk
from tests.fake_time import fake_timed
from tests.fakes import FakeCourier, FakeJournal, FakeLedger, FakeMessenger, FakeObserver
from tests.flood_world import FakeResumed
from tests.replays import replay_of
from tests.sends import MESSAGES, make_message
from tests.unit.input_records import InputRecord

SENT = Verdict(accepted=True, status=200, attempts=1, delivery_id="d-1")
REFUSED = Verdict(accepted=False, status=404, attempts=1, detail="no such template", reason="rejected")
UNCERTAIN = Verdict(accepted=False, status=503, attempts=1, detail="HTTP 503", reason="ambiguous_send")

messages = partial(SendsPlan, translate=translate_message)


class SlowMessenger(FakeMessenger):
    """Takes a second for each, and counts how many it has at once."""

    at_once = 0
    most = 0

    async def send(self, parcel: Parcel, errand: Errand) -> Verdict:
        """After a second."""
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(1)
        try:
            return await super().send(parcel, errand)
        finally:
            self.at_once -= 1


class World:
    """A pipeline over fakes, whose memory begins at offset 0."""

    def __init__(
        self,
        answers: Callable[[Parcel], Verdict] = lambda _: SENT,
        *,
        messenger: FakeMessenger | None = None,
        journal: FakeJournal | None = None,
    ) -> None:
        self.messenger = messenger or FakeMessenger(answers=answers)
        self.courier, self.journal, self.ledger = FakeCourier(), journal or FakeJournal(), FakeLedger()
        self.ledger.kept.sends.begin({MESSAGES: 0, "customerio-replay": 0})
        self.observer, self.resumed = FakeObserver(), FakeResumed()
        outside = Outside(
            courier=self.courier,
            messenger=self.messenger,
            journal=self.journal,
            ledger=self.ledger,
            observer=self.observer,
            clock_ms=lambda: 1_795_341_600_999,
            group="group-1",
        )
        guard = FloodGuard(share_max=0.5, exempt=(), resumed=self.resumed, observer=self.observer)
        self.pipeline = Pipeline(outside=outside, turns=Turns(), guard=guard)

    async def process(self, records: Sequence[InputRecord]) -> None:
        """Process a chunk of messages."""
        await self.pipeline.process(make_chunk(records), messages)

    def results(self) -> list[tuple[int, str]]:
        """Offset and outcome of every result, as they were written."""
        told = [orjson.loads(value) for each in self.journal.published for _, value in each.results]
        return [(each["source"]["offset"], each["outcome"]) for each in told]

    def steps(self) -> list[tuple[str, bool]]:
        """Step and whether the offset moves, of every publication."""
        return [(",".join(entry.step for _, entry in each.sends), each.moves) for each in self.journal.published]


def by_id(**verdicts: Verdict) -> Callable[[Parcel], Verdict]:
    """Those of these ids, else that it was sent."""
    return lambda parcel: verdicts.get(parcel.send.send_id if parcel.send else "", SENT)


def result_of(publication: Publication) -> dict[str, Any]:
    """Its only result."""
    ((_, value),) = publication.results
    told: dict[str, Any] = orjson.loads(value)
    return told


async def test_a_send_is_intended_then_concluded_then_its_chunk_moves_on() -> None:
    """The result goes with the conclusion, before the chunk's offset does."""
    world = World()
    await world.process([make_message()])

    assert world.steps() == [("intent", False), ("concluded", False), ("", True)]
    told = result_of(world.journal.published[1])
    assert (told["outcome"], told["delivery_id"], told["operations"]) == ("delivered", "d-1", ["send_push"])
    assert (world.journal.published[2].results, world.observer.counts) == ([], {("delivered", None): 1})


async def test_what_is_refused_is_told_with_its_chunk() -> None:
    """Its intent is withdrawn at once; the dead letter can still be held back."""
    world = World(by_id(a=REFUSED))
    await world.process([make_message("a")])

    assert world.steps() == [("intent", False), ("withdrawn", False), ("", True)]
    assert (world.results(), len(world.journal.published[2].letters)) == ([(0, "dead")], 1)


async def test_what_is_ambiguous_is_a_letter_at_once() -> None:
    """And remembered as that."""
    world = World(by_id(a=UNCERTAIN))
    await world.process([make_message("a")])

    assert world.steps() == [("intent", False), ("concluded", False), ("", True)]
    assert [len(each.letters) for each in world.journal.published] == [0, 1, 0]
    await world.process([make_message("a", offset=1)])
    assert (world.results(), len(world.messenger.sent)) == ([(0, "dead"), (1, "dead")], 1)


async def test_a_record_that_comes_again_after_its_result_gets_no_second_one() -> None:
    """Of a chunk that was given up only the rest is left to do."""
    world = World(by_id(b=REFUSED))
    records = [make_message(name, f"u-{name}", offset=n) for n, name in enumerate("abc")]
    await world.process(records[:1])
    again = World(by_id(b=REFUSED))
    again.ledger.kept.sends.take(b"a", world.journal.published[1].sends[0][1], 1000)
    await again.process(records)

    assert sorted(again.results()) == [(1, "dead"), (2, "delivered")]
    assert [parcel.send.send_id for parcel in again.messenger.sent if parcel.send] == ["b", "c"]


async def test_every_record_has_one_result() -> None:
    """Sent, repeated, malformed, refused."""
    world = World(by_id(c=REFUSED))
    records = [make_message("a"), make_message("a", offset=1), InputRecord(topic=MESSAGES, value=b"{", offset=2)]
    await world.process([*records, make_message("c", offset=3)])

    assert sorted(world.results()) == [(0, "delivered"), (1, "duplicate"), (2, "dead"), (3, "dead")]


@fake_timed
async def test_five_are_under_way_at_once() -> None:
    """To different people."""
    messenger = SlowMessenger()
    world = World(messenger=messenger)
    await world.process([make_message(f"m-{n}", f"u-{n}", offset=n) for n in range(12)])

    assert (messenger.most, len(messenger.sent)) == (5, 12)


async def test_a_large_chunk_moves_on_in_parts_that_meet() -> None:
    """So that little comes again, and a flood is seen early."""
    world = World()
    count = 2 * RECORDS_AT_ONCE + 1
    await world.process([make_message(f"m-{n}", f"u-{n}", offset=2 * n) for n in range(count)])
    moved = [each.chunk for each in world.journal.published if each.moves]

    assert [(each.start, each.next_offset) for each in moved] == [(0, 199), (199, 399), (399, 401)]
    assert len(world.results()) == count


async def test_who_is_fenced_says_so() -> None:
    """Also when several are under way: the lane is delivered again, and nothing crashes."""
    world = World(journal=FakeJournal(error=FencedError("gone")))
    with pytest.raises(FencedError):
        await world.process([make_message(f"m-{n}", f"u-{n}", offset=n) for n in range(3)])

    assert (world.messenger.sent, world.observer.counts) == ([], {})


@fake_timed
async def test_a_flood_of_refusals_is_held_back() -> None:
    """What was sent of it is out; once a probe passes, that one is sent once, and the rest tried again."""
    broken = True
    tried: list[str] = []

    def answer(parcel: Parcel) -> Verdict:
        assert parcel.send
        tried.append(parcel.send.send_id)
        return REFUSED if broken and parcel.send.send_id != "m-0" else SENT

    world = World(answer)
    chunk = make_chunk([make_message(f"m-{n}", f"u-{n}", offset=n) for n in range(RECORDS_AT_ONCE)])
    working = asyncio.create_task(world.pipeline.process(chunk, messages))
    await asyncio.sleep(0.5)
    held = (world.results(), working.done(), world.observer.floods)
    broken = False
    await working

    assert held == ([(0, "delivered")], False, [(MESSAGES, "rejected")])
    assert sorted(world.results()) == [(n, "delivered") for n in range(RECORDS_AT_ONCE)]
    assert (tried.count("m-0"), tried.count("m-1")) == (1, 2)


async def test_ambiguous_letters_are_no_flood() -> None:
    """They are out already, and cannot be held back."""
    world = World(lambda _: UNCERTAIN)
    await world.process([make_message(f"m-{n}", f"u-{n}", offset=n) for n in range(RECORDS_AT_ONCE)])

    assert (world.observer.counts, world.observer.floods) == ({("dead", "ambiguous_send"): RECORDS_AT_ONCE}, [])


async def test_replays_of_sends_and_of_changes_share_a_chunk() -> None:
    """Each verdict finds its record, and each result is told once."""
    world = World(by_id(b=REFUSED))
    records = [
        replay_of(make_change("x"), offset=0),
        replay_of(make_message("a"), offset=1),
        replay_of(make_change("y"), offset=2),
        replay_of(make_message("b", "u-2"), offset=3),
    ]
    await world.pipeline.process(make_chunk(records), ReplayPlan)

    assert sorted(world.results()) == [(0, "delivered"), (1, "delivered"), (2, "delivered"), (3, "dead")]
    assert (len(world.courier.waves), len(world.messenger.sent)) == (1, 2)
