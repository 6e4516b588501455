"""How the sandbox's webhooks wait for one another, in the way in which Customer.io does it."""

import pytest

from streams.sandbox.webhook_line import CONNECTION, HOLDING, TIMEOUT, Line, Webhook
from streams.sandbox.webhook_options import HOUR_S, SEVEN_DAYS_S, WebhookOptions

REAL_TIME = WebhookOptions(hurry=1, retry_s=10)
DAY_S = 86_400.0


def make_line(*names: str, waiting_max: int = 10) -> Line:
    """Build a line in which these wait."""
    line = Line(waiting_max=waiting_max)
    for name in names:
        line.put(Webhook(event_id=name, object_type="email", metric="sent", body=b"{}"))
    return line


def attempt(line: Line, answer: str, *, now: float = 0, options: WebhookOptions = REAL_TIME) -> str:
    """Send what is due, and give which that was."""
    webhook = line.due(now)
    assert webhook is not None
    line.sign(webhook, options, now=now)
    line.conclude(answer, options, now=now)
    return webhook.event_id


def next_try(line: Line) -> float:
    """When the next one may be sent."""
    at: float = line.shown()["next_try_at"]
    return at


@pytest.mark.parametrize("answer", ["200", "201", "202", "204", "299"])
def test_any_2xx_is_success(answer: str) -> None:
    """The next one is sent at once."""
    line = make_line("a", "b")

    assert [attempt(line, answer), attempt(line, answer)] == ["a", "b"]
    assert (line.sent, line.due(0)) == (2, None)
    assert [webhook.event_id for webhook in line.newest] == ["a", "b"]


@pytest.mark.parametrize("answer", ["301", "400", "418", "503", TIMEOUT, CONNECTION])
def test_anything_else_holds_the_line(answer: str) -> None:
    """The same one comes again, before any other."""
    line = make_line("a", "b", "c")
    attempt(line, answer)
    shown = line.shown()

    assert line.due(0) is None
    assert (shown["waiting"], shown["held"], shown["failing_since"], shown["failures"]) == (3, 2, 0, {answer: 1})
    assert attempt(line, "200", now=next_try(line)) == "a"
    assert attempt(line, "200", now=HOUR_S) == "b"
    assert line.shown()["failing_since"] is None


@pytest.mark.parametrize("answer", sorted(HOLDING))
def test_some_answers_cost_an_hour(answer: str) -> None:
    """Then the pauses grow from there."""
    line = make_line("a")
    attempt(line, answer)
    first = next_try(line)
    attempt(line, answer, now=first)

    assert (first, next_try(line)) == (HOUR_S, 3 * HOUR_S)


def test_the_answers_that_cost_an_hour_are_the_documented_ones() -> None:
    """503 and a time-out are not among them."""
    statuses = {400, 401, 402, 403, 404, 405, 410, 429, 500, 502, 521}

    assert {*map(str, statuses), CONNECTION} == HOLDING


@pytest.mark.parametrize("answer", ["503", "504", TIMEOUT, "302"])
def test_pauses_grow_by_doubling(answer: str) -> None:
    """From a short one."""
    line, times = make_line("a"), [0.0]
    for _ in range(5):
        attempt(line, answer, now=times[-1])
        times.append(next_try(line))

    assert times == [0, 10, 30, 70, 150, 310]


def test_a_held_answer_after_others_waits_an_hour_at_least() -> None:
    """The longer of the two pauses counts."""
    line = make_line("a")
    attempt(line, "503")
    attempt(line, "500", now=10)

    assert next_try(line) == 10 + HOUR_S


def test_a_success_makes_the_next_failure_the_first() -> None:
    """Pauses do not grow from one webhook to another that is not failing with it."""
    line = make_line("a", "b")
    attempt(line, "503")
    attempt(line, "503", now=10)
    attempt(line, "200", now=30)
    attempt(line, "503", now=30)

    assert next_try(line) == 40


def test_after_seven_days_one_is_given_up() -> None:
    """Before its next try would be later than that; then the next one has its own seven days."""
    line, now = make_line("a", "b"), 0.0
    while not line.given_up:
        assert attempt(line, "500", now=now) == "a"
        now = next_try(line) or now
    tried_last_at = now
    shown = line.shown()
    attempt(line, "500", now=tried_last_at)

    assert 2 * DAY_S < tried_last_at <= SEVEN_DAYS_S
    assert (shown["given_up"], shown["waiting"], shown["failing_since"]) == (1, 1, 0)
    assert (line.given_up, next_try(line)) == (1, tried_last_at + HOUR_S)


def test_hours_and_days_can_be_shortened() -> None:
    """By one factor for both."""
    options = WebhookOptions(hurry=3_600)
    line = make_line("a")
    attempt(line, "500", options=options)

    assert next_try(line) == 1
    assert options.give_up_s == 168


@pytest.mark.parametrize(("signs_anew", "expected"), [(True, [100, 110]), (False, [100, 100])])
def test_a_retry_may_be_signed_anew(*, signs_anew: bool, expected: list[int]) -> None:
    """Not documented, so both can be had."""
    options = WebhookOptions(signs_anew=signs_anew)
    line = make_line("a")
    webhook = line.due(100)
    assert webhook is not None

    assert [line.sign(webhook, options, now=now) for now in (100.9, 110.2)] == expected


def test_a_full_line_drops_the_newest() -> None:
    """And counts them."""
    line = make_line("a", "b", "c", "d", waiting_max=2)

    assert line.shown()["dropped"] == 2
    assert [attempt(line, "200"), attempt(line, "200"), line.due(0)] == ["a", "b", None]
