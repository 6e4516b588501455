"""What Customer.io's answers mean: each row of the table of faults."""

import orjson
import pytest

from agents.steps.judge import (
    DETAIL_CHARACTERS_MAX,
    Accepted,
    Judgement,
    Misconfigured,
    NotFound,
    Refused,
    TooFast,
    TryAgain,
    Unclear,
    judge,
)
from schemas.answer import Answer, NoAnswer

HTML = b"<!DOCTYPE html><title>Bad gateway</title>"
DEEP = b"[" * 1000 + b"]" * 1000  # can be read, but Python cannot make a text of it


def answer(status: int, *errors: object) -> Answer:
    """An answer in the form of Track v2."""
    return Answer(status, orjson.dumps({"errors": list(errors)}))


def refusal(index: object) -> dict[str, object]:
    """One entry of a 207."""
    return {"batch_index": index, "reason": "invalid", "field": "attributes.plan", "message": "too long"}


@pytest.mark.parametrize("status", [200])
@pytest.mark.parametrize("body", [b"{}", b"{}\n", b'{"errors":[]}', b'{"errors":null}', b'{"meta":{}}'])
def test_a_200_without_errors_accepts_all(status: int, body: bytes) -> None:
    """Whatever else the body says."""
    assert judge(Answer(status, body), 3) == Accepted({})


@pytest.mark.parametrize("status", [200, 207])
def test_named_items_are_refused_and_the_others_accepted(status: int) -> None:
    """A 200 with errors counts as a 207."""
    expected = Accepted({1: "invalid attributes.plan: too long", 0: "invalid attributes.plan: too long"})

    assert judge(answer(status, refusal(1), refusal(0)), 3) == expected


@pytest.mark.parametrize("index", [3, -1, None, "1", 1.0, True])
@pytest.mark.parametrize("status", [200, 207])
def test_an_index_that_names_no_item_is_unclear(status: int, index: object) -> None:
    """Then the items are sent alone: guessing would blame the wrong one."""
    assert judge(answer(status, refusal(0), refusal(index)), 3) == Unclear()


def test_an_item_named_twice_is_unclear() -> None:
    """One of the two may stand for another."""
    assert judge(answer(207, refusal(1), refusal(1)), 3) == Unclear()


@pytest.mark.parametrize("entry", [{"reason": "invalid"}, "invalid", None])
def test_an_error_without_index_is_unclear(entry: object) -> None:
    """It could be anybody's."""
    assert judge(answer(207, entry), 2) == Unclear()


@pytest.mark.parametrize(
    "body", [HTML, b"", b"[]", b'{"errors":{}}', b"{}", b'{"errors":[]}', b'{"errors":null}', b"\xff"]
)
def test_a_207_that_names_nothing_is_unclear(body: bytes) -> None:
    """Something was refused, and it is not said what."""
    assert judge(Answer(207, body), 2) == Unclear()


@pytest.mark.parametrize("body", [HTML, b"", b"[]", b"null", b'{"errors":{}}', b"\xff"])
def test_a_200_that_is_not_customer_ios_is_tried_again(body: bytes) -> None:
    """Somebody on the way answers, a portal or a proxy: nothing was delivered, and it is no record's fault."""
    assert isinstance(judge(Answer(200, body), 2), TryAgain)


def test_the_only_item_needs_no_index() -> None:
    """An answer to one operation is about it."""
    assert judge(answer(200, {"reason": "invalid"}), 1) == Accepted({0: "invalid"})


@pytest.mark.parametrize("index", [1, None, "0"])
def test_a_wrong_index_of_the_only_item_is_unclear(index: object) -> None:
    """An index that is given must be right."""
    assert judge(answer(207, refusal(index)), 1) == Unclear()


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"errors":[{"reason":"invalid","field":"action","message":"unknown"}]}', "invalid action: unknown"),
        (b'{"errors":[{"reason":"invalid"},{"message":"no"}]}', "invalid; no"),
        (b'{"meta":{"error":"name cannot be blank"}}', "name cannot be blank"),
        (b'{"meta":{"errors":["one","two"]}}', "one; two"),
        (b'{"meta":{"errors":[1,"two"]}}', "two"),
    ],
)
def test_a_refused_request_says_why(status: int, body: bytes, detail: str) -> None:
    """Both envelopes of Track v1 and that of v2."""
    assert judge(Answer(status, body), 3) == Refused(detail)


@pytest.mark.parametrize("body", [HTML, b"", b"{}", b"[]", b'{"meta":7}', b'{"errors":7}', b'{"errors":null}'])
def test_a_refusal_without_reason_names_its_status(body: bytes) -> None:
    """Never the body, which may hold anything."""
    assert judge(Answer(413, body), 3) == Refused("HTTP 413")


@pytest.mark.parametrize(
    ("value", "detail"),
    [(DEEP, ""), (b'{"in":["no"]}', ""), (b"true", ""), (b"null", ""), (b'""', ""), (b'"no"', "no"), (b"7.5", "7.5")],
    ids=["deep", "object", "true", "null", "empty", "text", "number"],
)
@pytest.mark.parametrize("name", ["reason", "field", "message"])
def test_only_texts_and_numbers_are_quoted(name: str, value: bytes, detail: str) -> None:
    """Anything else may be as large and as deep as it likes: no answer may end a worker."""
    body = b'{"errors":[{"batch_index":0,"%b":%b}]}' % (name.encode(), value)

    assert judge(Answer(400, body), 3) == Refused(detail or "HTTP 400")
    assert judge(Answer(404, body), 3) == NotFound(detail or "HTTP 404")
    assert judge(Answer(207, body), 3) == Accepted({0: detail})


@pytest.mark.parametrize("items", [1, 3])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (NoAnswer("timeout"), TryAgain("timeout")),
        (Answer(408, b""), TryAgain("HTTP 408")),
        (Answer(500, HTML), TryAgain("HTTP 500")),
        (Answer(503, HTML, 7.5), TryAgain("HTTP 503", 7.5)),
        (Answer(599, b""), TryAgain("HTTP 599")),
        (Answer(429, b"", 7.5), TooFast(7.5)),
        (Answer(429, HTML), TooFast(None)),
        (Answer(401, b""), Misconfigured("credentials", "HTTP 401")),
        (Answer(403, b""), Misconfigured("credentials", "HTTP 403")),
        (Answer(404, HTML), NotFound("HTTP 404")),
        (Answer(301, b""), Misconfigured("address", "HTTP 301")),
        (Answer(308, b""), Misconfigured("address", "HTTP 308")),
        (Answer(204, b""), TryAgain("HTTP 204 with an unreadable body")),
    ],
)
def test_faults_that_are_no_items(given: Answer | NoAnswer, expected: Judgement, items: int) -> None:
    """Theirs, the network's or ours: whatever the request holds, nothing of it is blamed."""
    assert expected == judge(given, items)


def test_a_detail_is_short() -> None:
    """A result that quotes a page of errors would be refused by Kafka."""
    judgement = judge(answer(400, *[{"message": "x" * 200}] * 1000), 1)
    assert isinstance(judgement, Refused)

    assert len(judgement.detail) == DETAIL_CHARACTERS_MAX
