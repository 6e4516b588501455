"""`python -m tests.simulation --seed N`: one run and its whole story; `--seeds K --first N`: many, on all cores."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from tests.simulation.run import Report, run

AT_A_TIME = 20
STORIES_SHOWN = 5


def main() -> int:
    """Run, print, and return 1 when anything was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this one, and tell everything that happens")
    parser.add_argument("--seeds", type=int, default=2000, help="how many to run (default 2000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default 0)")
    given = parser.parse_args()
    if given.seed is not None:
        return _one(run(given.seed))
    return _many(range(given.first, given.first + given.seeds))


def _one(report: Report) -> int:
    lines = [*map(str, report.story.lines), "", *report.violations, f"digest {report.story.digest()}"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if report.violations else 0


def _many(seeds: range) -> int:
    started, failed, requests, slowest_s = time.monotonic(), list[str](), 0, 0.0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for reports in pool.map(_some, _parts(seeds)):
            for told, sent, drained_s in reports:
                requests, slowest_s = requests + sent, max(slowest_s, drained_s)
                if told:
                    failed.append(told)
    figures = {
        "seeds": len(seeds),
        "seeds that failed": len(failed),
        "requests": requests,
        "slowest to drain, virtual s": round(slowest_s),
        "seconds": round(time.monotonic() - started, 1),
    }
    lines = [*failed[:STORIES_SHOWN], *(f"{name:32}{value!s:>12}" for name, value in figures.items())]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if failed else 0


def _parts(seeds: range) -> Iterator[list[int]]:
    left = iter(seeds)
    while part := list(islice(left, AT_A_TIME)):
        yield part


def _some(seeds: list[int]) -> list[tuple[str, int, float]]:
    """The short story of each that fails, its requests, and how long it took to drain."""
    reports = [run(seed) for seed in seeds]
    return [(report.told() if report.violations else "", report.requests, report.drained_s) for report in reports]


if __name__ == "__main__":
    sys.exit(main())
