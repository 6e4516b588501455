"""The failure model as a page for people: `make docs` writes it to FAILURES.md, and a test holds the file to it."""

import sys
from collections.abc import Iterable

from schemas.failure_model import ROWS, Failure
from schemas.send_failures import SEND_ROWS

HEAD = """# When something fails

What Customer.io answers, whose fault that is, and what a worker does about it.
A record becomes a dead letter only for a fault of its own.
Every other fault is waited out, with the lanes held where they are.

This page is made from `schemas/failure_model.py` by `make docs`; the worker looks its answers up in the same table.
The sandbox can do everything in the last column: `cio-streams sandbox --fault-kind …`.

"""
TABLE = """| what came back | whose fault | what we do | in the sandbox |
|---|---|---|---|
"""
SENDS = """
## Sends

Transactional messages and broadcasts have no key by which Customer.io would know a repeat.
So a send is never repeated by itself while it may have gone out.
A person decides: `cio-streams dlq replay --even-if-sent`.

"""


def page() -> str:
    """The whole page, in Markdown."""
    return HEAD + _table(ROWS) + SENDS + _table(SEND_ROWS)


def _table(rows: Iterable[Failure]) -> str:
    return TABLE + "".join(
        f"| {row.came_back} | {row.whose} | {row.what_we_do} | {', '.join(f'`{kind}`' for kind in row.sandbox)} |\n"
        for row in rows
    )


if __name__ == "__main__":
    sys.stdout.write(page())
