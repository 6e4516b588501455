"""Which requests go wrong: the plan, and how its switch is read."""

from typing import Any

import pytest

from schemas.errors import ConfigError
from streams.sandbox.fault_plan import FaultPlan
from streams.sandbox.faults import Faults, read_faults


def test_the_same_seed_draws_the_same_faults() -> None:
    """Draws depend on the seed alone, and a replaced plan starts from its seed."""
    faults = Faults(rate=0.5, seed=7)
    first, second = FaultPlan(faults), FaultPlan(Faults(rate=0.5, seed=8))
    drawn = [first.draw() for _ in range(50)]

    assert drawn != [second.draw() for _ in range(50)]
    second.replace(faults)
    assert drawn == [second.draw() for _ in range(50)]


def test_the_rate_is_a_share() -> None:
    """At rate 0 nothing goes wrong, at 1 everything, at 0.12 about that share; every kind comes up."""
    plan = FaultPlan(Faults(rate=0.12, kinds=("503", "hang")))
    drawn = [plan.draw() for _ in range(10_000)]

    assert 1000 < sum(kind is not None for kind in drawn) < 1400
    assert {None, "503", "hang"} == set(drawn)
    assert {None} == {FaultPlan(Faults()).draw() for _ in range(100)}
    assert None not in {FaultPlan(Faults(rate=1.0)).draw() for _ in range(100)}


def test_what_is_left_out_keeps_its_value() -> None:
    """The switch changes only the fields that it is given."""
    faults = read_faults({"rate": 1, "kinds": ["401"]}, current=Faults(latency_ms=20.0))

    assert Faults(rate=1.0, kinds=("401",), latency_ms=20.0) == faults


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"rate": 1.5}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"kinds": ["meteor"]}, "kinds"),
        ({"kinds": []}, "kinds"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"speed": 1}, "speed"),
    ],
)
def test_wrong_faults_are_named(given: dict[str, Any], named: str) -> None:
    """A wrong value or an unknown field is refused, and named."""
    with pytest.raises(ConfigError, match=named):
        read_faults(given, current=Faults())
