"""Workers that crash at any step: no message goes out twice, and every record has one result that tells the truth."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.desk import Outside
from agents.pipeline import Pipeline
from agents.plans.sends import SendsPlan
from agents.ports import Publication
from agents.steps.translate_send import translate_message
from schemas.answer import Answer, NoAnswer
from schemas.send_memory import pack_entry
from schemas.translated import Send
from streams.customerio.app_sender import AppSender
from streams.customerio.breaker import Breaker
from streams.customerio.wire import Wire
from streams.delivery.flood_guard import FloodGuard
from streams.delivery.ledger import Ledger
from streams.delivery.messenger import Messenger
from streams.delivery.turns import Turns
from streams.kafka.ledger_reader import LedgerRecord
from tests.builders import TOPICS, make_chunk
from tests.fake_time import in_fake_time
from tests.fakes import FakeCourier, FakeLimiter, FakeObserver
from tests.flood_world import FakeResumed
from tests.sends import MESSAGES, make_message
from tests.unit.input_records import InputRecord

LIVES_MAX: Final = 40
OK = Answer(200, b'{"delivery_id":"d"}')

#: Whether the call is applied, and what comes back.
ANSWERS: Final[dict[str, tuple[bool, Answer | NoAnswer]]] = {
    "sent": (True, OK),
    "refused": (False, Answer(404, b"")),
    "too fast": (False, Answer(429, b"")),
    "unknown, sent": (True, Answer(503, b"")),
    "unknown, not sent": (False, NoAnswer("timeout")),
    "never left": (False, NoAnswer("ConnectError", is_out=False)),
}


class CrashError(Exception):
    """The process is gone."""


@dataclass(slots=True)
class World:
    """What outlives a worker: Kafka and Customer.io; `steps` counts what one does until it crashes at `crash_at`."""

    records: Sequence[InputRecord]
    answers: list[str]
    crash_at: int | None = None
    steps: int = 0
    offset: int = 0
    ledger: list[LedgerRecord] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    letters: int = 0
    applied: list[Send] = field(default_factory=list)

    async def step(self) -> None:
        """One more; a worker that has crashed does nothing any more."""
        await asyncio.sleep(0.01)
        if self.crash_at is not None and self.steps >= self.crash_at:
            raise CrashError
        self.steps += 1

    async def commit(self, publication: Publication) -> None:
        """Write all of it at once, or nothing."""
        await self.step()
        self.results += [orjson.loads(value) for _, value in publication.results]
        self.letters += len(publication.letters)
        at_s = int(publication.concluded_s)
        self.ledger += [LedgerRecord("sends", 0, key, pack_entry(entry), at_s) for key, entry in publication.sends]
        if publication.moves:
            assert publication.chunk.start == self.offset
            self.offset = publication.chunk.next_offset
        await self.step()

    async def call(self, send: Send) -> Answer | NoAnswer:
        """A send reaches Customer.io, or does not."""
        await self.step()
        is_applied, answer = ANSWERS[self.answers.pop() if self.answers else "sent"]
        if is_applied:
            self.applied.append(send)
        await self.step()
        return answer

    async def read(self) -> Answer | NoAnswer:
        """A harmless read."""
        await self.step()
        return OK


def pipeline_in(world: World) -> Pipeline:
    """A worker that has just restored its ledger."""
    observer = FakeObserver()
    ledger = Ledger(window_s=100, entries_max=100, clock_s=lambda: 2_000)
    ledger.keep([0])
    ledger.begin({(MESSAGES, 0): world.offset})
    if world.ledger:
        ledger.restore(world.ledger, TOPICS)
    breaker = Breaker("send", first_pause_s=0.1, jitter=lambda: 0.5, observer=observer)
    sender = AppSender(
        world.call,
        Wire(breaker, FakeLimiter(), observer),
        pace=FakeLimiter(),
        read=world.read,
        reads=Wire(breaker, FakeLimiter(), observer),
    )
    outside = Outside(
        courier=FakeCourier(),
        messenger=Messenger({"message": sender}, is_current=lambda _: True),
        journal=world,
        ledger=ledger,
        observer=observer,
        clock_ms=lambda: 1_000_000,
        group="group-1",
    )
    guard = FloodGuard(share_max=1.0, exempt=(), resumed=FakeResumed(), observer=observer)
    return Pipeline(outside=outside, turns=Turns(), guard=guard)


async def live(world: World, chunk_size: int) -> None:
    """One worker's life: from the committed offset to the end, or to its crash."""
    pipeline, make_plan = pipeline_in(world), partial(SendsPlan, translate=translate_message)
    while world.offset < len(world.records):
        records = world.records[world.offset : world.offset + chunk_size]
        await pipeline.process(make_chunk(records, start=world.offset), make_plan)


def run(world: World, crashes: list[int], chunk_size: int) -> None:
    """Let workers live one after the other, until one comes to the end."""
    for _ in range(LIVES_MAX):
        world.steps, world.crash_at = 0, crashes.pop() if crashes else None
        try:
            in_fake_time(live(world, chunk_size))
        except CrashError:
            continue
        return
    raise AssertionError("they do not come to the end")


@st.composite
def worlds(draw: st.DrawFn, answers: Sequence[str] = sorted(ANSWERS)) -> World:
    """A few ids and people, so that repeats and neighbours are frequent."""
    drawn = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=12))
    records = [make_message(f"m-{id_}", f"u-{user}", offset=n) for n, (id_, user) in enumerate(drawn)]
    return World(records, draw(st.lists(st.sampled_from(answers), max_size=15)))


@settings(max_examples=300)
@given(worlds(), st.lists(st.integers(0, 40), max_size=6), st.integers(1, 12))
def test_no_crash_sends_twice_or_loses_a_result(world: World, crashes: list[int], chunk_size: int) -> None:
    """Wherever they happen: between intent and call, call and answer, answer and conclusion, or in a transaction."""
    run(world, crashes, chunk_size)
    told = defaultdict[str, list[str]](list)
    for each in sorted(world.results, key=lambda each: each["source"]["offset"]):
        message_id = orjson.loads(world.records[each["source"]["offset"]].value or b"")["message_id"]
        told[message_id].append(each["reason"] or each["outcome"])
    sent = Counter(send.send_id for send in world.applied)

    assert [each["source"]["offset"] for each in sorted(world.results, key=lambda r: r["source"]["offset"])] == list(
        range(len(world.records))
    )
    assert all(count == 1 for count in sent.values())
    for message_id, words in told.items():
        assert sent[message_id] or not {"delivered", "fingerprint"} & set(words)
        assert not sent[message_id] or {"delivered", "ambiguous_send"} & set(words)
        assert words.count("delivered") <= 1
    assert world.letters == sum(each["outcome"] == "dead" for each in world.results)


@settings(max_examples=200)
@given(
    worlds(answers=sorted(ANSWERS.keys() - {"refused"})), st.lists(st.integers(0, 40), max_size=4), st.integers(1, 12)
)
def test_messages_to_a_person_go_out_in_their_order(world: World, crashes: list[int], chunk_size: int) -> None:
    """Also of those that a later worker sends; only what was refused may be tried again behind what came later."""
    run(world, crashes, chunk_size)
    by_person = defaultdict[str, list[int]](list)
    for send in world.applied:
        by_person[send.person].append(send.record.offset)

    assert all(offsets == sorted(offsets) for offsets in by_person.values())


@settings(max_examples=100)
@given(worlds())
def test_without_a_crash_only_unknown_answers_are_ambiguous(world: World) -> None:
    """And what was refused may go out with its repeat."""
    unknown = sum(answer.startswith("unknown") for answer in world.answers)
    run(world, [], 12)
    ambiguous = {each["fingerprint"] for each in world.results if each["reason"] == "ambiguous_send"}

    assert bool(ambiguous) <= bool(unknown)
