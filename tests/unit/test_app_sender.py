"""A send goes out once: what is written before and after, what is tried again, and what makes the next ones wait."""

import asyncio
import itertools

import pytest

from schemas.answer import Answer, NoAnswer
from schemas.delivery import Verdict
from tests.fake_time import fake_timed
from tests.sends_world import DOWN, REFUSED, THERE, SendsWorld

UNKNOWN = [DOWN, NoAnswer("timeout"), NoAnswer("ReadError"), Answer(408, b""), Answer(200, b"<html>")]


@fake_timed
async def test_an_intent_goes_before_and_the_conclusion_after() -> None:
    """With status, attempts and what Customer.io calls it."""
    world = SendsWorld()
    verdict = await world.send()

    assert world.app.told() == ["a intends", "a", "a delivered"]
    assert verdict == Verdict(accepted=True, status=200, attempts=1, delivery_id="d-1")
    assert (world.admission.acquired, world.pace.acquired, world.app_rate.acquired) == (1, 1, 0)
    assert [(status, items) for status, items, _ in world.observer.requests] == [("200", 1)]


@fake_timed
async def test_a_refusal_is_the_sends_own() -> None:
    """Nobody else waits for it, and nothing is tried again."""
    world = SendsWorld(Answer(404, b'{"meta":{"error":"no such template"}}'))
    verdict = await world.send()

    assert (verdict.reason, verdict.detail, verdict.attempts) == ("rejected", "no such template", 1)
    assert (world.app.told(), world.breaker.is_closed) == (["a intends", "a", "a rejected"], True)


@fake_timed
async def test_too_fast_is_tried_again_after_the_time_the_server_asked_for() -> None:
    """The intent is withdrawn meanwhile: a crash in the pause loses nothing; it uses up no attempt."""
    world = SendsWorld(Answer(429, b"", 7.0))
    verdict = await world.send()

    assert world.app.told() == ["a intends", "a", "a withdraws", "a intends", "a", "a delivered"]
    assert world.app.times("a") == [0.0, 7.1]
    assert (verdict.accepted, verdict.attempts, world.observer.retries) == (True, 1, ["HTTP 429"])


@fake_timed
async def test_everybody_waits_when_it_was_too_fast() -> None:
    """One goes when the pause is over, the others behind it; nobody reads."""
    world = SendsWorld(Answer(429, b"", 7.0))
    sending = asyncio.create_task(world.send("a"))
    await asyncio.sleep(1)
    await world.send_all("b", "c")
    await sending

    assert (world.app.times("b"), world.app.times("c"), "read" in world.app.told()) == ([7.2], [7.2], False)


@fake_timed
async def test_a_refused_connection_is_tried_again_behind_a_read() -> None:
    """Nothing went out; while nobody answers reads go at growing intervals, and no intent stands."""
    world = SendsWorld(REFUSED, reads=[REFUSED, DOWN])
    verdict = await world.send()

    assert world.app.told() == [
        *("a intends", "a", "a withdraws"),
        *("read", "read", "read"),
        *("a intends", "a", "a delivered"),
    ]
    assert world.app.times("read") == [2.1, 6.2, 14.3]
    assert (verdict.accepted, verdict.attempts, world.observer.holds) == (True, 2, [("send", "outage")])


@pytest.mark.parametrize("answer", UNKNOWN)
@fake_timed
async def test_what_may_have_gone_out_is_never_sent_again(answer: Answer | NoAnswer) -> None:
    """It is set aside at once, and the next send goes behind a harmless read."""
    world = SendsWorld(answer)
    verdict = await world.send("a")
    after = await world.send("b")

    assert (verdict.accepted, verdict.reason, verdict.attempts) == (False, "ambiguous_send", 1)
    assert world.app.told() == [
        *("a intends", "a", "a ambiguous_send"),
        *("read", "b intends", "b", "b delivered"),
    ]
    assert (after.accepted, world.breaker.is_closed, world.app_rate.acquired) == (True, True, 1)


@fake_timed
async def test_an_outage_costs_only_what_was_on_its_way() -> None:
    """While reads fail nothing goes; their intervals grow to half a minute."""
    world = SendsWorld(*[DOWN] * 3, reads=[DOWN] * 8)
    first = await world.send_all("a", "b", "c")
    after = await world.send_all("d", "e", "f")
    reads = world.app.times("read")

    assert [each.reason for each in first] == ["ambiguous_send"] * 3
    assert all(each.accepted for each in after)
    assert [round(later - earlier) for earlier, later in itertools.pairwise(reads)] == [*(2, 4, 8, 16, 30, 30, 30, 30)]


@fake_timed
async def test_where_reads_work_and_sends_do_not_they_go_one_by_one() -> None:
    """Each behind a read, at growing intervals: not all of a topic becomes ambiguous."""
    world = SendsWorld(*[DOWN] * 5)
    verdicts = await world.send_all("a")
    verdicts += await world.send_all(*"bcdefg")
    times = [world.app.times(send_id)[0] for send_id in "bcdef"]

    assert [each.reason for each in verdicts] == ["ambiguous_send"] * 5 + [None, None]
    assert [round(later - earlier) for earlier, later in itertools.pairwise(times)] == [2, 4, 8, 16]


@fake_timed
async def test_an_ambiguous_answer_asks_for_time_too() -> None:
    """Its Retry-After holds also the read."""
    world = SendsWorld(Answer(503, b"", 20.0))
    await world.send("a")
    await world.send("b")

    assert world.app.times("read") == [20.1]


@fake_timed
async def test_refused_credentials_hold_everything() -> None:
    """No dead letter; the key that changes is tried by a read, within a second."""
    world = SendsWorld(Answer(401, b""), reads=[Answer(401, b""), Answer(401, b"")])
    sending = asyncio.create_task(world.send())
    await world.until(lambda: len(world.app.times("read")) == 2)
    held = world.breaker.reason
    world.news = True
    verdict = await sending

    assert (held, verdict.accepted, verdict.attempts) == ("credentials", True, 1)
    assert world.app.told()[:3] == ["a intends", "a", "a withdraws"]
    assert world.app.times("read")[2] - world.app.times("read")[1] < 1.2


@fake_timed
async def test_a_wrong_address_holds_everything() -> None:
    """A redirect is a clear refusal."""
    world = SendsWorld(Answer(301, b""), reads=[Answer(301, b"")])
    verdict = await world.send()

    assert (world.observer.holds, verdict.accepted, len(world.app.times("read"))) == ([("send", "address")], True, 2)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(Answer(401, b""), "credentials"), (Answer(302, b""), "address"), (Answer(429, b""), "outage")],
)
@fake_timed
async def test_what_a_read_is_answered_counts(answer: Answer, reason: str) -> None:
    """A send's turn comes only when one succeeds."""
    world = SendsWorld(REFUSED, reads=[answer])
    await world.send()

    assert {held for _, held in world.observer.holds} == {"outage", reason}
    assert len(world.app.times("read")) == 2


@fake_timed
async def test_who_was_let_in_before_a_doubt_arose_goes_back() -> None:
    """Its intent was being written meanwhile: it is withdrawn, and waits for the read with all others."""
    world = SendsWorld(DOWN)
    first = asyncio.create_task(world.send("a"))
    second = asyncio.create_task(world.send("b", writes_s=0.2))
    await asyncio.gather(first, second)

    assert world.app.told() == [
        *("a intends", "a", "a ambiguous_send", "b intends", "b withdraws"),
        *("read", "b intends", "b", "b delivered"),
    ]


@fake_timed
async def test_a_probe_that_is_given_up_makes_room() -> None:
    """The next one reads at once."""
    world = SendsWorld(DOWN, reads=[THERE])
    await world.send("a")
    world.app.latency_s = 50
    probing = asyncio.create_task(world.send("b"))
    await asyncio.sleep(1)
    probing.cancel()
    world.app.latency_s = 0.1
    verdict = await world.send("c")

    assert verdict.accepted
    assert world.app.told()[-5:] == ["read", "read", "c intends", "c", "c delivered"]


@fake_timed
async def test_after_the_assignment_nothing_is_begun() -> None:
    """Its lane is held, and given up; no intent stands."""
    world = SendsWorld()
    world.epoch = 2
    sending = asyncio.create_task(world.send())
    await asyncio.sleep(100)
    sending.cancel()

    assert world.app.told() == []


@fake_timed
async def test_a_drain_says_nothing_of_the_api() -> None:
    """It has not waited for the answer: whoever sends next needs no harmless read before."""
    world = SendsWorld()
    sending = asyncio.create_task(world.send("a"))
    await asyncio.sleep(0.05)
    sending.cancel()
    await asyncio.wait([sending])
    await world.send("b")

    assert (world.breaker.is_closed, "read" in world.app.told()) == (True, False)
