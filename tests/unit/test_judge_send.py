"""What an answer to a send means, for everything that can come back."""

import time

import orjson
import pytest

from agents.steps.judge import Misconfigured, Refused, TooFast
from agents.steps.judge_send import Ambiguous, NotSent, SendJudgement, Sent, judge_send, works
from schemas import send_failures
from schemas.answer import Answer, NoAnswer

META = b'{"meta":{"error":"attachment must be base64"}}'
ERRORS = b'{"errors":[{"detail":"no such person ada@example.com","status":"422"},{"detail":"call +1 555 0100 100"}]}'


@pytest.mark.parametrize(
    ("answer", "means"),
    [
        (Answer(200, b'{"delivery_id":"d-1","queued_at":1}'), Sent("d-1")),
        (Answer(202, b'{"delivery_id":"d-1"}'), Sent("d-1")),
        (Answer(200, b"{}"), Ambiguous("HTTP 200 with an unreadable body")),
        (Answer(200, b'{"delivery_id":""}'), Ambiguous("HTTP 200 with an unreadable body")),
        (Answer(200, b'{"delivery_id":true}'), Ambiguous("HTTP 200 with an unreadable body")),
        (Answer(200, b"<html>"), Ambiguous("HTTP 200 with an unreadable body")),
        (Answer(204, b""), Ambiguous("HTTP 204 with an unreadable body")),
        (Answer(301, b""), Misconfigured("address", "HTTP 301")),
        (Answer(400, META), Refused("attachment must be base64")),
        (Answer(401, b""), Misconfigured("credentials", "HTTP 401")),
        (Answer(403, b""), Refused("HTTP 403")),
        (Answer(404, b"[]"), Refused("HTTP 404")),
        (Answer(408, b""), Ambiguous("HTTP 408")),
        (Answer(413, b""), Refused("HTTP 413")),
        (Answer(418, b""), Misconfigured("address", "HTTP 418")),
        (Answer(422, ERRORS), Refused("no such person ***; call ***")),
        (Answer(429, b"", 7.0), TooFast(7.0)),
        (Answer(429, b""), TooFast(None)),
        (Answer(500, b""), Ambiguous("HTTP 500")),
        (Answer(503, b"", 9.0), Ambiguous("HTTP 503", 9.0)),
        (NoAnswer("ReadError"), Ambiguous("ReadError")),
        (NoAnswer("ConnectError", is_out=False), NotSent("ConnectError")),
    ],
)
def test_what_a_message_is_answered(answer: Answer | NoAnswer, means: SendJudgement) -> None:
    """A refusal is told without what it quotes of a person."""
    assert judge_send(answer, "message") == means


@pytest.mark.parametrize("text", ["a", "1", "+1(", "a@", "1 ", "@", "ada@example.com "])
def test_a_refusal_is_read_at_once_however_long_it_is(text: str) -> None:
    """The event loop waits for it; only its beginning is looked at, and never half an address."""
    body = orjson.dumps({"errors": [{"detail": "no: " + text * (400_000 // len(text))}] * 2})
    started_s = time.process_time()
    told = judge_send(Answer(422, body), "message")

    assert isinstance(told, Refused)
    assert "example" not in told.detail
    assert time.process_time() - started_s < 2


@pytest.mark.parametrize("length", range(1_150, 1_210))
def test_an_address_at_the_edge_of_what_is_looked_at_is_not_told(length: int) -> None:
    """Addresses before it shrink to marks, so that the edge may be seen."""
    text = ("ada@example.com " * 100)[:length] + "ada@example.com said"
    told = judge_send(Answer(422, orjson.dumps({"meta": {"error": text}})), "message")

    assert isinstance(told, Refused)
    assert set(told.detail) <= set("*@ said")
    assert "@" not in told.detail


def test_an_address_that_follows_a_number_is_not_told() -> None:
    """Without anything in between."""
    body = b'{"meta":{"error":"call +1 555 0100 100ada@example.com now"}}'

    assert judge_send(Answer(422, body), "message") == Refused("call *** *** now")


def test_a_trigger_is_known_by_its_number() -> None:
    """Which is text on a result."""
    assert judge_send(Answer(200, b'{"id":12}'), "trigger") == Sent("12")
    assert judge_send(Answer(200, b'{"delivery_id":"d"}'), "trigger") == Ambiguous("HTTP 200 with an unreadable body")


@pytest.mark.parametrize("status", [*range(100, 200), *range(300, 1000)])
def test_every_status_has_a_row(status: int) -> None:
    """And only one; what is not known for a refusal is not sent again."""
    rows = [row for row in send_failures.SEND_ROWS if status in row.statuses and not row.bodies]

    assert rows == [send_failures.row_of_send(status)]


@pytest.mark.parametrize(
    ("answer", "is_there"),
    [
        (Answer(200, b"{}"), True),
        (Answer(200, b"<html>"), True),
        (Answer(403, b""), True),
        (Answer(404, b""), True),
        (Answer(301, b""), False),
        (Answer(401, b""), False),
        (Answer(429, b""), False),
        (Answer(503, b""), False),
        (NoAnswer("timeout"), False),
    ],
)
def test_a_harmless_read_shows_that_the_api_is_there(answer: Answer | NoAnswer, is_there: bool) -> None:  # noqa: FBT001 - parametrised
    """Whatever the key may read: it was known, and somebody answered."""
    assert works(answer) is is_there
