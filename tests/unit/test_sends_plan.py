"""A chunk of sends: what goes side by side, what waits, and what is not sent because of what is remembered."""

from collections.abc import Sequence
from functools import partial

import pytest

from agents.plans.replay import ReplayPlan
from agents.plans.sends import SendsPlan
from agents.steps.translate_send import translate_message, translate_trigger
from schemas.delivery import Verdict
from schemas.person_state import PersonState, pack
from schemas.send_memory import Known, SendEntry
from streams.delivery.sends_memory import SendsMemory
from tests.builders import carry_out, settle_down, told
from tests.fakes import FakeMemory
from tests.replays import replay_of
from tests.sends import MESSAGES, entry, make_message, make_trigger
from tests.unit.input_records import InputRecord

REPLAYED = "customerio-replay"
UNCERTAIN = Verdict(accepted=False, status=503, attempts=1, detail="HTTP 503", reason="ambiguous_send")

messages = partial(SendsPlan, translate=translate_message)


def remembering(*entries: SendEntry, ids: Sequence[str] = ("m-1",)) -> FakeMemory:
    """A memory into which these entries of these ids have been read; nothing is committed yet."""
    sends = SendsMemory()
    sends.begin({MESSAGES: 0, REPLAYED: 0})
    for number, each in enumerate(entries):
        sends.take(ids[min(number, len(ids) - 1)].encode(), each, 1000)
    return FakeMemory(sends=sends)


def sent_in(waves: Sequence[Sequence[object]]) -> list[int]:
    """How many went in each wave."""
    return [len(wave) for wave in waves]


def test_messages_to_different_people_go_side_by_side() -> None:
    """Each in a parcel of its own."""
    plan = messages()
    waves = carry_out(plan, [make_message(f"m-{n}", f"u-{n}", offset=n) for n in range(3)])

    assert (sent_in(waves), told(plan)) == ([3], ["delivered"] * 3)
    assert [(key, each.step, each.known, each.place.offset) for _, key, each in plan.sends()] == [
        (b"m-%d" % n, "concluded", "sent", n) for n in range(3)
    ]


def test_messages_to_one_person_keep_their_order() -> None:
    """The next one waits for the verdict on the last, and nobody overtakes a third."""
    plan = messages()
    waves = carry_out(
        plan, [make_message("a", "u-1"), make_message("b", "u-1", offset=1), make_message("c", "u-2", offset=2)]
    )

    assert [[parcel.send.send_id for parcel in wave if parcel.send] for wave in waves] == [["a", "c"], ["b"]]


def test_who_is_named_in_another_way_is_another_person() -> None:
    """An id and an e-mail address are not known to be the same."""
    by_email = make_message("b", offset=1, identifiers={"email": "ada@example.com"})
    waves = carry_out(messages(), [make_message("a", "ada@example.com"), by_email])

    assert sent_in(waves) == [2]


def test_a_repeat_waits_for_the_verdict_on_the_first() -> None:
    """It is a duplicate of what was delivered, also to another person, and is tried after a refusal."""
    repeat = [make_message("a", "u-1"), make_message("a", "u-2", offset=1)]
    good, bad = messages(), messages()
    sent = carry_out(good, repeat)
    tried = carry_out(bad, repeat, decides=lambda parcel: b"u-2" in parcel.bodies[0])

    assert (sent_in(sent), told(good)) == ([1], ["delivered", "duplicate:fingerprint"])
    assert (sent_in(tried), told(bad)) == ([1, 1], ["dead:rejected", "delivered"])


def test_a_repeat_of_an_ambiguous_send_ends_so_again() -> None:
    """Nobody sends it by himself."""
    plan = messages()
    plan.add([make_message(), make_message(offset=1)])
    plan.recall(FakeMemory())
    plan.next_wave()
    plan.settle([UNCERTAIN])

    assert plan.next_wave() == []
    assert told(plan) == ["dead:ambiguous_send", "dead:ambiguous_send"]
    assert [each.known for _, _, each in plan.sends()] == ["ambiguous", "ambiguous"]


@pytest.mark.parametrize(
    ("known", "becomes"), [(None, "delivered"), ("sent", "duplicate:fingerprint"), ("ambiguous", "dead:ambiguous_send")]
)
def test_what_is_known_of_an_id_decides(known: Known | None, becomes: str) -> None:
    """From whichever record it is known."""
    plan = messages()
    carry_out(plan, [make_message(offset=5)], memory=remembering(entry("concluded", known, offset=2)))

    assert told(plan) == [becomes]


def test_a_message_and_a_trigger_of_one_id_are_two() -> None:
    """They share a ledger, and nothing else."""
    plan = SendsPlan(translate=translate_trigger)
    carry_out(plan, [make_trigger("m-1")], memory=remembering(entry("concluded", "sent")))

    assert told(plan) == ["delivered"]


def test_a_record_whose_intent_stands_alone_is_ambiguous() -> None:
    """Work on it ended in between: it may have gone out."""
    plan = messages()
    waves = carry_out(plan, [make_message(offset=2)], memory=remembering(entry("intent", offset=2)))

    assert (waves, told(plan)) == ([], ["dead:ambiguous_send"])
    assert [(each.step, each.known) for _, _, each in plan.sends()] == [("concluded", "ambiguous")]


def test_another_records_open_intent_is_as_uncertain() -> None:
    """Whichever topic it came from."""
    plan = messages()
    carry_out(plan, [make_message(offset=2)], memory=remembering(entry("intent", offset=7, topic=REPLAYED)))

    assert told(plan) == ["dead:ambiguous_send"]


def test_what_was_withdrawn_is_sent() -> None:
    """It certainly did not go out."""
    plan = messages()
    carry_out(plan, [make_message()], memory=remembering(entry("intent"), entry("withdrawn")))

    assert told(plan) == ["delivered"]


def test_a_record_whose_result_is_out_gets_no_second_one() -> None:
    """Neither when it was the only one of its id, nor when a later record was sent under the same."""
    memory = remembering(entry("concluded", "ambiguous", offset=0), entry("concluded", "sent", offset=1))
    plan = messages()
    waves = carry_out(plan, [make_message(offset=n) for n in range(3)], memory=memory)

    assert (waves, plan.passed_over, told(plan)) == ([], 2, ["duplicate:fingerprint"])


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        (PersonState(deleted=True), "skipped:user_deleted"),
        (PersonState(opted_out=True), "skipped:user_opted_out"),
        (PersonState(deleted=True, opted_out=True), "skipped:user_deleted"),
        (PersonState(), "delivered"),
    ],
)
def test_who_is_gone_gets_no_message(state: PersonState, becomes: str) -> None:
    """Unless the message says that it is for them too."""
    memory = FakeMemory(people={b"u-1": pack(state)})
    plain, insisting = messages(), messages()
    carry_out(plain, [make_message()], memory=memory)
    carry_out(insisting, [make_message(send_to_unsubscribed=True)], memory=memory)

    assert (told(plain), told(insisting)) == ([becomes], ["delivered"])


def test_what_is_at_fault_by_itself_is_dead() -> None:
    """Without a request."""
    plan = messages()
    waves = carry_out(plan, [InputRecord(topic=MESSAGES, value=b"{")])

    assert (waves, told(plan), plan.sends()) == ([], ["dead:malformed"], [])


def test_triggers_of_one_broadcast_keep_their_order() -> None:
    """Those of others do not wait for them."""
    records = [make_trigger("a", 1), make_trigger("b", 1, offset=1), make_trigger("c", 2, offset=2)]

    assert sent_in(carry_out(SendsPlan(translate=translate_trigger), records)) == [2, 1]


def test_the_verdict_is_told() -> None:
    """Status, attempts, and what Customer.io calls it."""
    plan = messages()
    plan.add([make_message()])
    plan.recall(FakeMemory())
    plan.next_wave()
    plan.settle([Verdict(accepted=True, status=200, attempts=2, delivery_id="d-7")])
    (found,) = plan.conclusions

    assert (found.user_id, found.operations, found.status, found.attempts, found.delivery_id) == (
        "u-1",
        ("send_push",),
        200,
        2,
        "d-7",
    )


def test_only_an_operators_word_sends_what_may_have_gone_out() -> None:
    """A replay without it ends as any repeat; with it, it is sent, and known to be from then on."""
    memory = remembering(entry("concluded", "ambiguous"))
    plain, forced = ReplayPlan(), ReplayPlan()
    carry_out(plain, [replay_of(make_message())], memory=memory)
    waves = carry_out(forced, [replay_of(make_message(), even_if_sent=True)], memory=memory)

    assert told(plain) == ["dead:ambiguous_send"]
    assert (sent_in(waves), told(forced)) == ([1], ["delivered"])
    assert [(each.place.topic, each.known) for _, _, each in forced.sends()] == [(REPLAYED, "sent")]


def test_an_operators_word_for_several_letters_of_one_id_sends_it_once() -> None:
    """A repeat of what was ambiguous was set aside too, and all are replayed together."""
    plan, letters = ReplayPlan(), [make_message(offset=n) for n in range(3)]
    replays = [replay_of(each, offset=each.offset, even_if_sent=True) for each in letters]
    waves = carry_out(plan, replays, memory=remembering(entry("concluded", "ambiguous")))

    assert (sent_in(waves), told(plan)) == ([1], ["delivered", "duplicate:fingerprint", "duplicate:fingerprint"])


def test_a_forced_replay_that_was_interrupted_is_ambiguous_again() -> None:
    """The word was for one try."""
    plan = ReplayPlan()
    memory = remembering(entry("intent", "ambiguous", offset=4, topic=REPLAYED))
    carry_out(plan, [replay_of(make_message(), offset=4, even_if_sent=True)], memory=memory)

    assert told(plan) == ["dead:ambiguous_send"]


async def test_a_replay_of_sends_tells_who_waits_for_whom() -> None:
    """By the ids that live records have too."""
    live, replay = messages(), ReplayPlan()
    live.add([make_message()])
    replay.add([replay_of(make_message()), replay_of(make_trigger(), offset=1)])
    await settle_down()

    assert live.keys() < replay.keys()
