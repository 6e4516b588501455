"""Which requests go wrong: the plan, and how its switch is read."""

from typing import Any

import pytest

from schemas.errors import ConfigError
from schemas.failure_model import SANDBOX_FAULTS
from streams.sandbox.fault_answers import INSTEAD, SPOILT
from streams.sandbox.fault_plan import FaultPlan
from streams.sandbox.faults import Faults
from streams.sandbox.mishaps import MISHAPS
from streams.sandbox.switch import Switch

BATCH = "/api/v2/batch"


def make_plan(**faults: Any) -> FaultPlan:  # noqa: ANN401 - the faults' own
    """Build a plan."""
    return FaultPlan(Switch(Faults(**faults)))


def draw(plan: FaultPlan, count: int = 1, *, path: str = BATCH, body: bytes = b"{}") -> list[str | None]:
    """Draw for so many equal requests."""
    return [plan.draw(path=path, body=body) for _ in range(count)]


def test_every_kind_of_the_failure_model_has_its_way() -> None:
    """No kind is left out, and none happens in two ways."""
    assert set(SANDBOX_FAULTS) <= MISHAPS.keys() | INSTEAD.keys()
    assert MISHAPS.keys() & INSTEAD.keys() == set()
    assert SPOILT.keys() < MISHAPS.keys()


def test_the_same_seed_draws_the_same_faults() -> None:
    """Draws depend on the seed alone, and a changed plan starts from its seed, also with the same one."""
    switch = Switch(Faults(rate=0.5, seed=8))
    first, second = make_plan(rate=0.5, seed=7), FaultPlan(switch)
    drawn = draw(first, 50)

    assert drawn != draw(second, 50)
    for _ in range(2):
        switch.change({"seed": 7})
        assert drawn == draw(second, 50)


def test_the_rate_is_a_share() -> None:
    """At rate 0 nothing goes wrong, at 1 everything, at 0.12 about that share; every kind comes up."""
    drawn = draw(make_plan(rate=0.12, kinds=("503", "hang")), 10_000)

    assert 1000 < sum(kind is not None for kind in drawn) < 1400
    assert {None, "503", "hang"} == set(drawn)
    assert {None} == set(draw(make_plan(), 100))
    assert None not in draw(make_plan(rate=1.0), 100)


def test_only_paths_that_are_aimed_at_go_wrong() -> None:
    """A path is aimed at by its beginning; without any, all are."""
    plan = make_plan(rate=1, kinds=("503",), paths=(BATCH, "/api/v2/entity"))

    assert draw(plan) + draw(plan, path="/api/v2/entity") == ["503", "503"]
    assert draw(plan, path="/api/v1/accounts/region") == [None]


def test_a_poison_item_spoils_every_request_that_contains_it() -> None:
    """Only those, and each time; the text may be of any alphabet."""
    plan = make_plan(rate=1, kinds=("500",), containing='"ü-1"')

    assert draw(plan, 3, body='{"id":"ü-1"}'.encode()) == ["500"] * 3
    assert draw(plan, body='{"id":"ü-11"}'.encode()) == [None]


def test_after_its_count_all_is_well_again() -> None:
    """Only what goes wrong is counted; a change of the faults counts anew."""
    switch = Switch(Faults(rate=1, kinds=("500",), count=2, paths=(BATCH,)))
    plan = FaultPlan(switch)

    assert draw(plan, path="/api/v1/events") + draw(plan, 4) == [None, "500", "500", None, None]
    switch.change({"count": 1})
    assert draw(plan, 3) == ["500", None, None]


def test_what_is_left_out_keeps_its_value() -> None:
    """The switch changes only the fields that it is given; a status may be a number."""
    switch = Switch(Faults(latency_ms=20.0))
    switch.change({"rate": 1, "kinds": [401, "hang"]})

    assert Faults(rate=1.0, kinds=("401", "hang"), latency_ms=20.0) == switch.value


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"rate": 1.5}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"kinds": ["503", "meteor"]}, r"kinds\.1: no such kind of fault: meteor; there are slow, slow_body, .*308$"),
        ({"kinds": [418]}, "no such kind of fault: 418"),
        ({"kinds": []}, "kinds: there must be one"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"count": 0}, "count"),
        ({"rate_limit_per_s": 0}, "rate_limit_per_s"),
        ({"speed": 1}, "speed"),
    ],
)
def test_wrong_faults_are_named(given: dict[str, Any], named: str) -> None:
    """A wrong value, an unknown kind or an unknown field is refused, and named; nothing has changed."""
    switch = Switch(Faults())
    before = switch.value
    with pytest.raises(ConfigError, match=named):
        switch.change(given)

    assert before is switch.value


def test_faults_that_were_made_unchecked_are_checked_by_their_switch() -> None:
    """A misspelt kind in a test is not a fault that never comes."""
    with pytest.raises(ConfigError, match="meteor"):
        Switch(Faults(rate=1, kinds=("meteor",)))
