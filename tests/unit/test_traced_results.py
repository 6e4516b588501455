"""A result belongs to its record's trace where tracing is on; where it is off nobody looks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from agents.desk import Outside
from agents.pipeline import Pipeline
from agents.plans.user_changes import UserChangesPlan
from agents.ports import Publication
from schemas.record import Header
from streams.delivery.flood_guard import FloodGuard
from streams.delivery.turns import Turns
from tests.builders import make_chunk
from tests.fakes import FakeCourier, FakeJournal, FakeLedger, FakeMessenger, FakeObserver
from tests.flood_world import FakeResumed

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
VALUE = b'{"type": "user.upserted", "user": {"id": "u-1", "plan": "p%d"}}'


@dataclass(slots=True)
class Read:
    """A record that counts how often its headers are looked at."""

    offset: int
    value: bytes | None
    sent: Sequence[Header] = ()
    reads: int = 0
    topic: str = "user-changes"
    partition: int = 0
    timestamp: int = 1_795_341_600_123
    key: bytes | None = field(default=b"u-1")

    @property
    def headers(self) -> Sequence[Header]:
        """They, and one more look."""
        self.reads += 1
        return self.sent


async def publish(records: Sequence[Read], *, is_traced: bool) -> Publication:
    """What a pipeline makes of these."""
    journal, observer = FakeJournal(), FakeObserver()
    outside = Outside(
        courier=FakeCourier(),
        messenger=FakeMessenger(),
        journal=journal,
        ledger=FakeLedger(),
        observer=observer,
        clock_ms=lambda: 1_795_341_600_999,
        group="group-1",
        is_traced=is_traced,
    )
    guard = FloodGuard(share_max=1, exempt=(), resumed=FakeResumed(), observer=observer)
    pipeline = Pipeline(outside=outside, turns=Turns(), guard=guard)
    await pipeline.process(make_chunk(records), UserChangesPlan)
    return journal.published[-1]


async def test_a_result_takes_over_the_trace_of_its_record() -> None:
    """Also one that is not kept, whose spans somebody may keep after all; and nothing else of the headers."""
    state = ("tracestate", b"a=b")
    headers: list[Sequence[Header]] = [[("traceparent", PARENT), state, ("mine", b"x")], [("traceparent", b"ada")], ()]
    records = [Read(offset, VALUE % offset, sent) for offset, sent in enumerate(headers)]
    published = await publish(records, is_traced=True)

    assert [[("traceparent", PARENT), state], [], []] == [list(each) for each in published.traces]
    assert len(published.results) == len(published.traces)


async def test_a_letter_keeps_it_with_all_its_headers() -> None:
    """So its replay has it too."""
    (letter,) = (await publish([Read(0, b"{", [("traceparent", PARENT)])], is_traced=True)).letters

    assert ("traceparent", PARENT) == letter[2][0]


@pytest.mark.parametrize("headers", [(), [("traceparent", PARENT)]])
async def test_off_nobody_looks_for_it(headers: Sequence[Header]) -> None:
    """The two looks at a record's headers are for a replay's first time and place, as there always were."""
    records = [Read(offset, VALUE % offset, headers) for offset in range(3)]
    published = await publish(records, is_traced=False)

    assert ((), {2}) == (published.traces, {each.reads for each in records})
