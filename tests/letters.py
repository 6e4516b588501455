"""Dead letters as a worker writes them, built from only what matters to a test."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.steps.report import letter_headers
from schemas.conclusion import Conclusion
from schemas.dead_letter import REPLAYS, Header, read_letter
from schemas.decision import Decision, state_of
from schemas.outcome import DeadReason
from streams.dead_letters.letter import Letter
from tests.unit.input_records import InputRecord

AT = "2026-11-22T10:00:00.000Z"
REPLAYS_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLetter:
    """A record of the dead-letter topic, where it was not given its offset by Kafka."""

    partition: int = 0
    offset: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[Header] = ()


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
) -> StoredLetter:
    """What a worker writes of a record that ends dead."""
    conclusion = Conclusion(record, "dead", reason, message, status=status, attempts=attempts)
    headers: list[Header] = [*letter_headers(conclusion, group="g", failed_at=failed_at)]
    assert REPLAYS == headers.pop()[0]  # the last
    return StoredLetter(
        partition=record.partition,
        offset=offset,
        key=record.key,
        value=record.value,
        headers=[*headers, (REPLAYS, str(replays).encode())],
    )


def found(stored: StoredLetter, decision: Decision | None = None) -> Letter:
    """The letter as `Letters` gives it."""
    letter = read_letter(stored)
    assert letter is not None
    state = state_of(decision, replays=letter.replays, replays_max=REPLAYS_MAX)
    return Letter(letter=letter, decision=decision, state=state)
