"""`python -m tests.faults --seconds S --seed N`: the fault test for longer, with another seed at each round."""

import argparse
import sys
from pathlib import Path

from streams.local_kafka.broker import running_kafka
from streams.settings import load_settings
from tests.faults.run import Plan, Report, run

VIOLATIONS_SHOWN = 20
RECORDS_PER_S = 500
RECORDS_PER_PERSON = 7


def main() -> int:
    """Run, print the figures, and return 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long there is trouble (default 300)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed means the same records and actions")
    parser.add_argument("--keep", type=Path, help="an existing folder for the workers' logs and the sandbox's")
    given = parser.parse_args()
    records = int(max(40.0, given.seconds) * RECORDS_PER_S)
    plan = Plan(
        seed=given.seed,
        records=records,
        persons=records // RECORDS_PER_PERSON,
        chaos_s=given.seconds,
        folder=given.keep,
        drain_s_max=max(90.0, given.seconds / 2),
    )
    with running_kafka(load_settings(), port=0, progress=lambda text: print(text, flush=True)) as bootstrap:  # noqa: T201
        report = run(plan, bootstrap=bootstrap)
    sys.stdout.write(render(report))
    return 1 if report.violations else 0


def render(report: Report) -> str:
    """The figures as a table, and the first violations."""
    lines = [f"{name:32}{value!s:>12}" for name, value in report.figures.items()]
    lines += ["", f"{len(report.violations)} violations", *report.violations[:VIOLATIONS_SHOWN]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
