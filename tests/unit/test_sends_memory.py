"""What is remembered of sends: for how long, and which records have had their result."""

import time

from schemas.send_memory import NEVER_SENT, SendPlace, SendState, pack_entry, send_key, unpack_entry
from streams.delivery.sends_memory import FORGOTTEN_AT_ONCE, SendsMemory
from tests.sends import MESSAGES, entry

KEY = send_key("message", b"m-1")


def memory(start: int = 0) -> SendsMemory:
    """One that begins at this offset."""
    made = SendsMemory()
    made.begin({MESSAGES: start})
    return made


def test_an_entry_is_read_as_it_was_written() -> None:
    """On the ledger it is JSON."""
    written = entry("concluded", "sent", offset=7)._replace(delivery_id="d-1")

    assert unpack_entry(pack_entry(written)) == written


def test_a_message_and_a_trigger_of_one_id_have_two_keys() -> None:
    """Of sixteen bytes, however long the id."""
    keys = {send_key("message", b"x" * 150), send_key("trigger", b"x" * 150)}

    assert [len(key) for key in keys] == [16, 16]


def test_the_last_entry_of_an_id_counts() -> None:
    """From intent to conclusion, and from one record to the next."""
    sends = memory()
    seen = []
    for step in (entry("intent", offset=1), entry("withdrawn", offset=1), entry("concluded", "sent", offset=1)):
        sends.take(b"m-1", step, 1000)
        seen.append(sends.state(KEY, oldest_s=0))

    assert seen == [SendState(None, SendPlace(MESSAGES, 1)), NEVER_SENT, SendState("sent", None)]


def test_an_intent_keeps_what_was_known_before() -> None:
    """A second try of what may have gone out does not make it unknown."""
    sends = memory()
    sends.take(b"m-1", entry("intent", "ambiguous"), 1000)

    assert sends.state(KEY, oldest_s=0).known == "ambiguous"


def test_what_is_old_is_forgotten() -> None:
    """Also before it is thrown away."""
    sends = memory()
    sends.take(b"m-1", entry("concluded", "sent"), 1000)
    sends.take(b"m-2", entry("intent"), 1001)

    assert (sends.state(KEY, oldest_s=999), sends.state(KEY, oldest_s=1000)) == (SendState("sent"), NEVER_SENT)
    sends.forget(1000)
    assert (len(sends), sends.oldest_s) == (1, None)
    sends.forget(1001)
    assert len(sends) == 0


def test_many_that_expire_together_are_forgotten_step_by_step() -> None:
    """None of them is known any more, and each step is as long as the last."""
    sends, count = memory(), 40 * FORGOTTEN_AT_ONCE
    for number in range(count):
        step = entry("intent") if number % 2 else entry("concluded", "sent")
        sends.take(b"m-%d" % number, step, 1000)
    started_s, left = time.process_time(), []
    while len(sends):
        sends.forget(1000)
        left.append(len(sends))

    assert sends.state(send_key("message", b"m-0"), oldest_s=1000) == NEVER_SENT
    assert left == list(range(count - 2 * FORGOTTEN_AT_ONCE, -1, -2 * FORGOTTEN_AT_ONCE))
    assert time.process_time() - started_s < 5


def test_what_is_told_again_is_young_again() -> None:
    """So the first in line is always the oldest."""
    sends = memory()
    for number, at_s in (("m-1", 1000), ("m-2", 1001), ("m-1", 1002)):
        sends.take(number.encode(), entry("concluded", "sent"), at_s)
    sends.forget_oldest()

    assert sends.state(KEY, oldest_s=0) == SendState("sent")
    assert sends.oldest_s == 1002


def test_a_place_is_kept_while_its_record_may_come_again() -> None:
    """Until the offset has moved beyond it; what stands before the start never comes."""
    sends = memory(start=5)
    for offset in (4, 5, 6):
        sends.take(b"m-%d" % offset, entry("concluded", "sent", offset=offset), 1000)
    before = [sends.has_concluded(SendPlace(MESSAGES, offset)) for offset in (4, 5, 6)]
    sends.moved(MESSAGES, 6)
    after = [sends.has_concluded(SendPlace(MESSAGES, offset)) for offset in (4, 5, 6)]

    assert (before, after) == ([False, True, True], [False, False, True])


def test_of_a_topic_that_is_not_ours_no_places_are_kept() -> None:
    """Nobody would ever move them on."""
    sends = memory()
    sends.take(b"m-1", entry("concluded", "sent", topic="customerio-replay"), 1000)
    sends.moved("customerio-replay", 9)

    assert not sends.has_concluded(SendPlace("customerio-replay", 0))


def test_a_new_assignment_begins_where_it_was_told() -> None:
    """A partition that comes back may start further on."""
    sends = memory()
    sends.take(b"m-1", entry("concluded", "sent", offset=3), 1000)
    sends.begin({MESSAGES: 4})

    assert not sends.has_concluded(SendPlace(MESSAGES, 3))
