"""The failure model as a page for people: `make docs` writes it to FAILURES.md, and a test holds the file to it."""

import sys

from schemas.failure_model import ROWS

HEAD = """# When something fails

What Customer.io answers, whose fault that is, and what a worker does about it.
A record becomes a dead letter only for a fault of its own.
Every other fault is waited out, with the lanes held where they are.

This page is made from `schemas/failure_model.py` by `make docs`; the worker looks its answers up in the same table.
The sandbox can do everything in the last column: `cio-streams sandbox --fault-kind …`.

| what came back | whose fault | what we do | in the sandbox |
|---|---|---|---|
"""


def page() -> str:
    """The whole page, in Markdown."""
    rows = (
        f"| {row.came_back} | {row.whose} | {row.what_we_do} | {', '.join(f'`{kind}`' for kind in row.sandbox)} |\n"
        for row in ROWS
    )
    return HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(page())
