"""A simulated Kafka: input partitions, output topics, committed offsets, and transactions that are all or nothing.

Of a transaction only the moment of its end is simulated; one that hangs keeps its partitions until it is aborted.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from streams.kafka.ledger_reader import Committed, LedgerRecord
from tests.faults import traffic
from tests.faults.evidence import Output
from tests.faults.publisher import Place
from tests.simulation.group import Group
from tests.simulation.loop import block
from tests.unit.input_records import InputRecord

Tp = tuple[str, int]

REPLAYS: Final = "customerio-replay"
INPUTS: Final = (traffic.CHANGES, traffic.EVENTS, REPLAYS)
RESULTS, LETTERS, PEOPLE, EVENTS, SENDS = "results", "letters", "ledger-people", "ledger-events", "ledger-sends"
TRANSACTION_TIMEOUT_S = 10.0
POLL_S = 0.1


@dataclass(slots=True)
class Open:
    """A transaction that nobody has ended yet."""

    transactional_id: str
    until_s: float


@dataclass(slots=True, kw_only=True)
class Written:
    """A record of an open transaction."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class Broker:
    """`now_s` is unix time; `trouble` is the share of transactions that go wrong, `slow_s` how long one may take."""

    group: Group
    random: random.Random
    now_s: Callable[[], float]
    trouble: float = 0.0
    slow_s: float = 0.02
    inputs: dict[Tp, list[InputRecord]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[Tp, int] = field(default_factory=lambda: defaultdict(int))
    outputs: dict[str, list[Output]] = field(default_factory=lambda: defaultdict(list))
    ledgers: dict[Tp, list[LedgerRecord]] = field(default_factory=lambda: defaultdict(list))
    epochs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    opened: dict[Tp, Open] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, records: Iterable[InputRecord]) -> None:
        """Somebody upstream has written records, in the order of their offsets."""
        for record in records:
            log = self.inputs[record.topic, record.partition]
            assert not log or log[-1].offset < record.offset
            log.append(record)
        self.news.set()
        self.news = asyncio.Event()

    def after(self, place: Tp, offset: int, count: int) -> list[InputRecord]:
        """Up to so many records from this offset on."""
        records = self.inputs[place]
        first = len(records)
        while first and records[first - 1].offset >= offset:
            first -= 1
        return records[first : first + count]

    def commit(self, written: Iterable[Written], offsets: Mapping[Tp, int]) -> None:
        """Make a transaction visible."""
        for each in written:
            if each.topic in {PEOPLE, EVENTS}:
                log = self.ledgers[each.topic, each.partition]
                log.append(LedgerRecord(each.topic, each.partition, each.key or b"", each.value, int(self.now_s())))
            else:
                place = Place(each.topic, each.partition, len(self.outputs[each.topic]))
                self.outputs[each.topic].append(
                    Output(place=place, key=each.key, value=each.value, headers=each.headers)
                )
        self.committed.update(offsets)

    def hang(self, transactional_id: str, places: Iterable[Tp]) -> None:
        """A transaction with the offsets of these places stays open until somebody aborts it, or for its time-out."""
        until_s = self.now_s() + TRANSACTION_TIMEOUT_S
        self.opened.update({place: Open(transactional_id, until_s) for place in places})

    def abort(self, transactional_id: str) -> None:
        """What this producer left open counts no more."""
        self.opened = {tp: each for tp, each in self.opened.items() if each.transactional_id != transactional_id}

    def is_open(self, places: Iterable[Tp]) -> bool:
        """Whether a transaction holds one of them."""
        now_s = self.now_s()
        return any(place in self.opened and now_s < self.opened[place].until_s for place in places)

    def lag(self) -> int:
        """How many records have no committed conclusion."""
        return sum(record.offset >= self.committed[tp] for tp, records in self.inputs.items() for record in records)


@dataclass(slots=True)
class Reader:
    """What a worker reads before it starts on partitions; `is_cut` when it cannot reach the broker."""

    broker: Broker
    is_cut: Callable[[], bool]

    async def next_offsets(self, places: Iterable[Tp]) -> dict[Tp, int]:
        """Where to start, once transactions that hold offsets have ended."""
        while self.is_cut() or self.broker.is_open(places):  # noqa: ASYNC110 - the outside sets no events
            await asyncio.sleep(POLL_S)
        await asyncio.sleep(0.01)
        return {place: self.broker.committed[place] for place in places}

    async def read(
        self, start: Mapping[Tp, int], take: Callable[[list[LedgerRecord]], None], is_current: Callable[[], bool]
    ) -> dict[Tp, int]:
        """Hand all from `start` on to `take`; gives up when a rebalance has overtaken it."""
        await asyncio.sleep(0.02)
        while self.is_cut():  # noqa: ASYNC110 - the outside sets no events
            await asyncio.sleep(POLL_S)
        if not is_current():
            return {}
        for place, offset in start.items():
            for records in _by_second(self.broker.ledgers[place][max(offset, 0) :]):
                take(records)
        return {place: len(self.broker.ledgers[place]) for place in start}


@dataclass(slots=True)
class DoubtReader:
    """The same for a writer's thread, which asks only when it is in doubt and cannot wait here."""

    broker: Broker

    def committed_marks(self, places: Iterable[Tp]) -> dict[Tp, Committed]:
        """The next offset of every place; no marks, for nothing is sent whose offset does not move."""
        block(0.05)
        return {place: Committed(self.broker.committed[place], "") for place in places}


def _by_second(records: Sequence[LedgerRecord]) -> Iterable[list[LedgerRecord]]:
    found: dict[int, list[LedgerRecord]] = defaultdict(list)
    for record in records:
        found[record.timestamp_s].append(record)
    return found.values()
