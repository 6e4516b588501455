"""Dead letters as a worker writes them, built from only what matters to a test."""

from agents.steps.report import letter_headers
from schemas.conclusion import Conclusion
from schemas.dead_letter import REPLAYS, read_letter
from schemas.decision import Decision, state_of
from schemas.outcome import DeadReason
from schemas.record import Header, Stored
from streams.dead_letters.letter import Letter
from tests.unit.input_records import InputRecord

AT = "2026-11-22T10:00:00.000Z"
REPLAYS_MAX = 3


def make_letter(
    record: InputRecord,
    reason: DeadReason = "rejected",
    *,
    message: str = "user.plan: no",
    status: int | None = None,
    attempts: int = 0,
    failed_at: str = AT,
    replays: int = 0,
    offset: int = 0,
) -> Stored:
    """What a worker writes of a record that ends dead."""
    conclusion = Conclusion(record, "dead", reason, message, status=status, attempts=attempts)
    headers: list[Header] = [*letter_headers(conclusion, group="g", failed_at=failed_at)]
    assert REPLAYS == headers.pop()[0]  # the last
    ours = [*headers, (REPLAYS, str(replays).encode())]
    return Stored("customerio-dlq", record.partition, offset, 0, record.key, record.value, ours)


def found(stored: Stored, decision: Decision | None = None) -> Letter:
    """The letter as `Letters` gives it."""
    letter = read_letter(stored)
    assert letter is not None
    state = state_of(decision, replays=letter.replays, replays_max=REPLAYS_MAX)
    return Letter(letter=letter, decision=decision, state=state)
