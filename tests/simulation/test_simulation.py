import os
import subprocess
import sys

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation
from tests.simulation.run import run

SEEDS_A_TEST = 25
SEEDS = 300
SEEDS_OF_A_MUTATION = 60


@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_A_TEST))
def test_whatever_happens_the_invariants_hold(first: int) -> None:
    """One conclusion for each record, order per person, the rate kept, nothing lost, nobody given up for others."""
    reports = [run(seed) for seed in range(first, first + SEEDS_A_TEST)]

    assert not any(report.violations for report in reports), "\n".join(
        report.told() for report in reports if report.violations
    )


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_what_is_wrong_is_found(mutation: Mutation) -> None:
    """A few dozen seeds tell each of the mutations from the product."""
    assert any(_tells(seed, mutation) for seed in range(SEEDS_OF_A_MUTATION))


def _tells(seed: int, mutation: Mutation) -> bool:
    """Whether the run of this seed violates what it must with the mutation, and does not without."""
    found = MUTATIONS[mutation] & _violated(seed, mutation)
    return bool(found) and bool(found - _violated(seed))


def _violated(seed: int, mutation: Mutation | None = None) -> set[str]:
    with pytest.MonkeyPatch.context() as patch:
        if mutation:
            mutation(patch)
        report = run(seed)
        return {text.partition(":")[0] for text in report.violations + report.weaknesses}


def test_the_same_seed_is_the_same_run() -> None:
    """Also in another process, whose sets of strings have another order."""
    digests = {_run_elsewhere(7, hash_seed=hash_seed) for hash_seed in ("1", "2")} | {run(7).story.digest()}

    assert len(digests) == 1


def _run_elsewhere(seed: int, *, hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "--seed", str(seed)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60, text=True)
    return done.stdout.strip().rpartition(" ")[2]


def test_different_seeds_are_different_runs() -> None:
    """Else hundreds of them would be as good as one."""
    assert len({run(seed).story.digest() for seed in range(10)}) == 10
