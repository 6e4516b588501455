import pytest

from agents.steps.malformed import malformed
from tests.unit.input_records import InputRecord


@pytest.mark.parametrize(
    ("key", "claimed", "expected"),
    [
        (b"u-1", "u-2", "u-2"),
        (b"u-1", None, "u-1"),
        (None, None, None),
        (b"", None, None),
        (b"\xff", None, None),
        (b"x" * 1001, None, None),
        (None, "x" * 1001, None),
    ],
)
def test_a_malformed_record_is_found_by_its_person(
    key: bytes | None, claimed: str | None, expected: str | None
) -> None:
    """The value's id counts, else the key; what is unreadable or huge is left out."""
    assert malformed(InputRecord(key=key), "value: is empty", user_id=claimed).user_id == expected


def test_a_malformed_record_has_neither_operations_nor_fingerprint() -> None:
    """Nothing is known about what it would have done."""
    unsendable = malformed(InputRecord(), "value: is empty")

    assert (unsendable.reason, unsendable.detail) == ("malformed", "value: is empty")
    assert (unsendable.operations, unsendable.fingerprint, unsendable.event_id) == ((), None, None)
