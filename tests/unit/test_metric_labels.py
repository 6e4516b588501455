"""Values of labels: always declared ones, whatever Customer.io answers and whatever stands in records."""

from typing import get_args

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.steps.judge import TryAgain, judge
from agents.steps.judge_send import judge_send
from schemas.answer import Answer, NoAnswer
from streams.customerio import breaker
from streams.delivery.budgets import Api
from streams.kafka.abort_causes import AbortCause
from streams.metrics import labels
from streams.metrics.bounded import cause_value, status_value
from streams.metrics.labels import Label
from streams.metrics.observers import Metrics
from streams.webhooks import observe

ANSWERS = st.one_of(
    st.builds(Answer, st.integers(100, 999), st.binary(max_size=20), st.none()),
    st.builds(NoAnswer, st.text(max_size=30), st.booleans()),
)


def _transport_errors(kind: type[Exception]) -> set[str]:
    return {kind.__name__}.union(*(_transport_errors(each) for each in kind.__subclasses__()))


@given(ANSWERS)
def test_an_answer_has_a_declared_value(answer: Answer | NoAnswer) -> None:
    """Also of a status that HTTP does not know, or of a fault that nobody has thought of."""
    judged = judge(answer, 3)
    causes = [answer.cause if isinstance(answer, NoAnswer) else f"HTTP {answer.status}"]
    causes += [each.cause for each in (judged, judge_send(answer, "message")) if hasattr(each, "cause")]

    assert status_value(answer) in (labels.STATUS.values or ())
    assert {cause_value(cause) for cause in causes} <= (labels.RETRY_CAUSE.values or frozenset())


@given(st.text(max_size=40))
def test_a_cause_has_a_declared_value(cause: str) -> None:
    """Whatever it says."""
    assert cause_value(cause) in (labels.RETRY_CAUSE.values or ())


@pytest.mark.parametrize(
    ("cause", "value"),
    [
        ("HTTP 503", "HTTP 503"),
        ("HTTP 599", "HTTP 5xx"),
        ("HTTP 200 with an unreadable body", "unreadable body"),
        ("timeout", "timeout"),
        ("ConnectError", "ConnectError"),
        ("ada@example.com", "other"),
    ],
)
def test_what_is_known_is_told_as_it_is(cause: str, value: str) -> None:
    """And all else is one."""
    assert cause_value(cause) == value


def test_an_unreadable_answer_is_told_as_the_judge_says_it() -> None:
    """So that the two do not part."""
    judged = judge(Answer(200, b"<html>"), 3)
    assert isinstance(judged, TryAgain)

    assert cause_value(judged.cause) == labels.UNREADABLE


def test_every_fault_of_the_network_has_a_name() -> None:
    """By httpx's own; a time-out is one, whatever takes too long."""
    names = _transport_errors(httpx.TransportError) - _transport_errors(httpx.TimeoutException)

    assert names | {"DecodingError", "timeout", "other"} == labels.NO_ANSWERS


@pytest.mark.parametrize(
    ("label", "known"),
    [
        (labels.API, frozenset(get_args(Api))),
        (labels.STATE, frozenset(get_args(breaker.State))),
        (labels.ABORT_CAUSE, frozenset(get_args(AbortCause))),
        (labels.REFUSAL, frozenset(get_args(observe.Cause))),
        (labels.CUT, frozenset(get_args(observe.Cut))),
    ],
)
def test_a_label_has_the_values_that_the_code_knows(label: Label, known: frozenset[str]) -> None:
    """No more, and none is missing."""
    assert label.values == known


def test_the_breakers_reasons_are_declared() -> None:
    """All that hold requests, and none while they go."""
    known = frozenset({"", "no_key", *get_args(breaker.HoldReason), *get_args(breaker.OpenReason)})

    assert labels.BREAKER_REASON.values == known
    assert labels.HELD_REASON.values == known - {""}
    assert labels.LANE_REASON.values == (known - {""}) | {"flood", "rate", "retry", "kafka"}


def test_odd_answers_make_no_odd_series() -> None:
    """The page has declared values alone, and no more series for more of them."""
    metrics = Metrics()
    for number in range(1_000):
        metrics.request("track", Answer(number, b"ada@example.com"), seconds=1, items=1, body_bytes=1)
        metrics.request("send", NoAnswer(f"ada{number}@example.com"), seconds=1, items=1, body_bytes=1)
        metrics.retry("track", f"HTTP {number} of ada@example.com")
    series = metrics.page().decode().count("cio_requests_total{")

    assert series < 100
    assert "example.com" not in metrics.page().decode()
