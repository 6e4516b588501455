"""What an edit has made of a letter, as the replay that came of it tells: who, when, why, what changed. Pure."""

from dataclasses import dataclass

from schemas.dead_letter import EDIT_DIFF, EDITED_AT, EDITED_BY, REPLAY_NOTE, DeadLetter, replay_texts
from schemas.record import Stored
from streams.dead_letters.edits import difference
from streams.dead_letters.masking import outlined


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """`replay` is the place of the copy, `at` ISO 8601 in UTC, `diff` a unified diff; masked unless it is revealed."""

    replay: str
    by: str
    at: str
    note: str | None
    diff: str


def edit_of(copy: Stored, letter: DeadLetter | None, *, reveal: bool) -> Edited | None:
    """The edit by which a replay came about; None when it says the same as its letter, which may be gone."""
    texts = replay_texts(copy.headers)
    if EDITED_BY not in texts:
        return None
    recorded = texts.get(EDIT_DIFF, "")
    if reveal:
        diff = recorded
    elif letter is None:
        diff = outlined(recorded)
    else:
        diff = difference(letter.value, copy.value, is_masked=True)
    return Edited(
        replay=f"{copy.topic}/{copy.partition}/{copy.offset}",
        by=texts[EDITED_BY],
        at=texts.get(EDITED_AT, ""),
        note=texts.get(REPLAY_NOTE),
        diff=diff,
    )
