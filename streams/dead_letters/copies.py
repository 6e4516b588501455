"""What a letter becomes on `customerio-replay`: one function for replay, rehearsal and edit. It touches nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas import dead_letter
from schemas.dead_letter import DeadLetter
from schemas.record import Header
from schemas.replayed import YES


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How letters are replayed: `note` says why, `even_if_older` delivers also what newer data has superseded.

    `even_if_sent` sends once more what is `ambiguous_send`; for other letters it says nothing.
    """

    note: str | None = None
    even_if_older: bool = False
    even_if_sent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Other content for a letter, and what is told of that: `at` is ISO 8601 in UTC, `diff` a unified diff."""

    value: bytes
    by: str
    at: str
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCopy:
    """A record for the partition of its letter's name."""

    letter: DeadLetter
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


def copy_of(letter: DeadLetter, terms: Terms, edit: Edit | None = None) -> ReplayCopy:
    """Copy a letter byte for byte, its replays counted one up; what a replay adds follows a letter's own headers."""
    return ReplayCopy(
        letter=letter,
        key=letter.key,
        value=edit.value if edit else letter.value,
        headers=[*_counted_up(letter), *_added(letter, terms, edit)],
    )


def _counted_up(letter: DeadLetter) -> list[Header]:
    """The headers up to the count of replays: what an earlier writing anew has put behind it is said again by us."""
    last = max(at for at, (name, _) in enumerate(letter.headers) if name == dead_letter.REPLAYS)
    return [*letter.headers[:last], (dead_letter.REPLAYS, str(letter.replays + 1).encode())]


def _added(letter: DeadLetter, terms: Terms, edit: Edit | None) -> Iterator[Header]:
    yield dead_letter.NAMED, str(letter.name).encode()
    if terms.note:
        yield dead_letter.REPLAY_NOTE, terms.note.encode()
    if terms.even_if_older:
        yield dead_letter.EVEN_IF_OLDER, YES.encode()
    if terms.even_if_sent and letter.reason == "ambiguous_send":
        yield dead_letter.EVEN_IF_SENT, YES.encode()
    if edit:
        yield dead_letter.EDITED_BY, edit.by.encode()
        yield dead_letter.EDITED_AT, edit.at.encode()
        yield dead_letter.EDIT_DIFF, edit.diff.encode()
