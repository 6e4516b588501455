"""What a letter says of a send in our own words can be read by whoever decides: none of it is masked."""

import httpx

from agents.steps.conclude_send import Settled, decide_send
from agents.steps.judge import Refused
from agents.steps.judge_send import Ambiguous, judge_send
from schemas.answer import Answer, NoAnswer
from schemas.send_memory import SendState
from streams.dead_letters.masking import shown_message
from tests.sends import make_send

BODIES = (b"", b"{}", b"<html>")


def refused_or_open() -> set[str]:
    """Every detail of a send that was refused without a word, or that may have gone out."""
    errors = (httpx.TransportError, httpx.DecodingError)
    names = {kind.__name__ for kind in vars(httpx).values() if isinstance(kind, type) and issubclass(kind, errors)}
    answers = [NoAnswer(cause) for cause in ("timeout", *sorted(names))]
    judged = [judge_send(answer, "message") for answer in answers]
    judged += [judge_send(Answer(status, body), "message") for status in range(100, 1_000) for body in BODIES]
    return {each.detail for each in judged if isinstance(each, Ambiguous | Refused)}


def settled() -> set[str]:
    """Every detail of a send that was not tried."""
    send = make_send(offset=3)
    elsewhere = send.place._replace(offset=1)
    states = [
        SendState(known, intent) for known in (None, "sent", "ambiguous") for intent in (None, send.place, elsewhere)
    ]
    decisions = [decide_send(send, state, None) for state in states]
    return {each.detail for each in decisions if isinstance(each, Settled) and each.detail}


def test_our_own_words_are_shown() -> None:
    """What came back, or that nothing did, and what that means; without --reveal."""
    details = sorted(refused_or_open() | settled())

    assert [shown_message(detail) for detail in details] == details


def test_what_may_have_gone_out_says_so_whatever_the_cause() -> None:
    """A time-out, a 500, an answer that cannot be read, a crash, an earlier send of the id."""
    details = refused_or_open() | settled()
    causes = ("timeout, so", "HTTP 500, so", "HTTP 200 with an unreadable body, so", "when work on it ended, so")

    assert [cause for cause in causes if any(cause in detail for detail in details)] == list(causes)
    assert all("may or may not have gone out" in detail for detail in settled())


def test_what_customer_io_quotes_is_masked() -> None:
    """Its words may hold what a record says."""
    told = judge_send(Answer(422, b'{"meta":{"error":"no template for Ada Lovelace: left out"}}'), "message")

    assert isinstance(told, Refused)
    assert "Lovelace" not in shown_message(told.detail)
