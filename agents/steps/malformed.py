"""A record that cannot be understood, set aside with the id of its person where that can be read."""

from schemas.person_id import key_text, presentable
from schemas.record import Record
from schemas.translated import Unsendable


def malformed(record: Record, detail: str, *, user_id: str | None = None) -> Unsendable:
    """Set a record aside; without a readable id in its value (`user_id`), its key counts as the person's."""
    return Unsendable(
        record=record, reason="malformed", detail=detail, user_id=presentable(user_id or key_text(record.key))
    )
