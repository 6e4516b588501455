"""The failure model covers everything that can come back, once; its page is up to date."""

from collections import Counter
from pathlib import Path

import pytest

from schemas import failure_model
from streams.failure_page import page


@pytest.mark.parametrize("status", [*range(100, 200), *range(300, 1000)])
def test_every_status_has_a_row(status: int) -> None:
    """And only one."""
    rows = [row for row in failure_model.ROWS if status in row.statuses and not row.bodies]

    assert rows == [failure_model.row_of_status(status)]


def test_every_success_is_decided_by_its_body() -> None:
    """Each reading of a body has one row."""
    bodies = Counter(body for row in failure_model.ROWS for body in row.bodies)

    assert all(failure_model.is_success(status) for status in range(200, 300))
    assert bodies == Counter(("clean", "names_items", "unclear", "unreadable"))


def test_a_kind_of_fault_has_one_row() -> None:
    """Else nobody could say what it leads to."""
    assert len(set(failure_model.SANDBOX_FAULTS)) == len(failure_model.SANDBOX_FAULTS)


def test_the_page_is_made_from_the_model() -> None:
    """`make docs` writes it."""
    assert (Path(__file__).parents[2] / "FAILURES.md").read_text() == page()
