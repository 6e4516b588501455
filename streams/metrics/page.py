"""The metrics as a page for people: `make docs` writes it to METRICS.md, and a test holds the file to it."""

import sys
from collections.abc import Iterable, Mapping
from typing import Final

from streams.metrics.declared import OF_PROCESS, Process
from streams.metrics.labels import Label
from streams.metrics.metric import Declared

HEAD: Final = """# Metrics

What each process tells Prometheus at `/metrics`, by the names as scraped.
A histogram has series that end in `_bucket`, `_sum` and `_count`.
Beside these every process has the usual figures of its own, `cio_process_cpu_seconds_total` and so on.

This page is made from `streams/metrics/declared.py` by `make docs`; the processes use the same declarations.
"""
TITLES: Final[Mapping[Process, str]] = {
    "worker": "`cio-streams worker`, port 8080",
    "webhooks": "`cio-streams webhooks`, port 8082",
    "warehouse": "`cio-streams warehouse`, port 8083",
    "dlq watch": "`cio-streams dlq watch`, port 8084",
    "application": "An application that uses `streams.messaging`, in the registry that it gives",
}
TABLE: Final = """
| metric | type | labels | meaning | what to watch |
|---|---|---|---|---|
"""
LABELS: Final = """
## Labels

No value comes from a record, or from what Customer.io says, so the number of series is bounded.

| label | of | values |
|---|---|---|
"""


def page() -> str:
    """The whole page, in Markdown."""
    return HEAD + "".join(f"\n## {TITLES[each]}\n{_table(metrics)}" for each, metrics in OF_PROCESS.items()) + _labels()


def _table(metrics: Iterable[Declared]) -> str:
    return TABLE + "".join(
        f"| `{each.scraped}` | {each.kind} | {_names(each.label_names)} | {each.meaning} | {each.watch} |\n"
        for each in metrics
    )


def _labels() -> str:
    users: dict[Label, dict[str, None]] = {}
    for metrics in OF_PROCESS.values():
        for each in metrics:
            for label in each.labels:
                users.setdefault(label, {})[each.scraped] = None
    return LABELS + "".join(
        f"| `{label.name}` | {_names(users[label])} | {_values(label)} |\n"
        for label in sorted(users, key=lambda each: each.name)
    )


def _values(label: Label) -> str:
    return label.told or _names(each or "(empty)" for each in sorted(label.values or ()))


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in names)


if __name__ == "__main__":
    sys.stdout.write(page())
