"""How many ids of sends a worker remembers, and what it may forget for want of room."""

from collections.abc import Sequence

import pytest

from schemas.send_memory import Known, SendState, Step, pack_entry, send_key
from streams.delivery.ledger import Ledger
from streams.kafka.ledger_reader import LedgerRecord
from tests.builders import TOPICS, make_chunk, make_publication
from tests.sends import entry
from tests.unit.input_records import InputRecord

NOW_S = 10_000.0


def ledger(*, sends_max: int) -> Ledger:
    """One that owns partitions 0 and 1."""
    made = Ledger(window_s=100, entries_max=100, sends_max=sends_max, clock_s=lambda: NOW_S)
    made.keep({0, 1})
    return made


def remember(made: Ledger, ids: Sequence[bytes], step: Step, known: Known | None = None, *, partition: int = 0) -> None:
    """Take over what was committed of these ids, on a later partition earlier."""
    chunk = make_chunk([InputRecord(partition=partition)])
    sends = [(each, entry(step, known)) for each in ids]
    made.remember(make_publication(chunk, concluded_s=NOW_S - partition, sends=sends, moves=False))


def states(made: Ledger, *ids: bytes, partition: int = 0) -> list[SendState]:
    """What is known of them."""
    return [made.memory(partition).send_state(send_key("message", each)) for each in ids]


@pytest.mark.parametrize("sends_max", [0, 1, 3])
def test_more_may_be_under_way_than_are_remembered(sends_max: int) -> None:
    """An intent is never forgotten for want of room: it would be sent twice."""
    made = ledger(sends_max=sends_max)
    ids = [b"m-%d" % number for number in range(5)]
    remember(made, ids, "intent")

    assert all(state.intent for state in states(made, *ids))
    assert (made.send_count(), made.send_evictions) == (5, 0)


def test_what_is_under_way_takes_no_room_from_what_is_known() -> None:
    """Over the limit the oldest that is known goes, and is counted."""
    made = ledger(sends_max=1)
    remember(made, [b"a"], "intent")
    remember(made, [b"b"], "concluded", "sent", partition=1)
    kept = made.send_evictions
    remember(made, [b"c"], "concluded", "sent")

    assert (kept, made.send_evictions) == (0, 1)
    assert states(made, b"c") + states(made, b"b", partition=1) == [SendState("sent"), SendState()]


def test_a_restored_intent_takes_no_room_either() -> None:
    """A worker starts, however many are open."""
    made = ledger(sends_max=1)
    records = [LedgerRecord("sends", 0, b"m-%d" % n, pack_entry(entry("intent")), int(NOW_S)) for n in range(3)]
    made.restore(records, TOPICS)

    assert (made.send_count(), made.send_evictions) == (3, 0)
