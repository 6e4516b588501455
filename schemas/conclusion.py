"""What became of one record, as the results topic and the dead-letter topic will tell it."""

from typing import NamedTuple

from schemas.outcome import OperationName, Outcome, Reason
from schemas.record import Record


class Conclusion(NamedTuple):
    """The one result of one record; `detail` never holds content of the record.

    `status` is None and `attempts` 0 where nothing was sent. `event_id` is the ULID of an event, `delivery_id` what
    Customer.io calls a send.
    """

    record: Record
    outcome: Outcome
    reason: Reason | None = None
    detail: str | None = None
    user_id: str | None = None
    operations: tuple[OperationName, ...] = ()
    fingerprint: bytes | None = None
    event_id: str | None = None
    status: int | None = None
    attempts: int = 0
    delivery_id: str | None = None
