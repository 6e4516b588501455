"""The newest letters of many, as rows without their contents, and the same content folded into one. Pure."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from schemas.dead_letter import DeadLetter, LetterName, Origin
from schemas.decision import LetterState
from schemas.outcome import DeadReason
from streams.dead_letters.letter import Letter

CONTENT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a list shows of a letter; `content` stands for topic, key, value and reason."""

    name: LetterName
    origin: Origin
    reason: DeadReason
    status: int | None
    attempts: int
    failed_at: str
    user_id: str | None
    replays: int
    state: LetterState
    message: str
    content: bytes


@dataclass(slots=True)
class Newest:
    """At most `limit` letters, those that failed last: memory is that of so many rows, whatever comes."""

    limit: int
    count: int = 0
    _heap: list[tuple[tuple[str, LetterName], Row]] = field(default_factory=list)

    def add(self, found: Letter) -> None:
        """Take one more."""
        self.count += 1
        newness = (found.letter.failed_at, found.letter.name)
        if len(self._heap) < self.limit:
            heapq.heappush(self._heap, (newness, row_of(found)))
        elif newness > self._heap[0][0]:
            heapq.heapreplace(self._heap, (newness, row_of(found)))

    def rows(self) -> list[Row]:
        """The newest first."""
        return [row for _, row in sorted(self._heap, key=lambda pair: pair[0], reverse=True)]


@dataclass(slots=True)
class Fold:
    """The newest of letters that repeat each other, and the names of all of them."""

    row: Row
    names: list[LetterName]

    @property
    def times(self) -> int:
        """How many they are."""
        return len(self.names)


def row_of(found: Letter) -> Row:
    """Keep of a letter what a list shows."""
    letter = found.letter
    return Row(
        name=letter.name,
        origin=letter.origin,
        reason=letter.reason,
        status=letter.status,
        attempts=letter.attempts,
        failed_at=letter.failed_at,
        user_id=found.user_id,
        replays=letter.replays,
        state=found.state,
        message=letter.message,
        content=content_of(letter),
    )


def content_of(letter: DeadLetter) -> bytes:
    """The same for letters that say the same of the same: topic, key, value and reason."""
    digest = blake2b(digest_size=CONTENT_BYTES)
    for part in (letter.origin.topic.encode(), letter.key, letter.value, letter.reason.encode()):
        digest.update(b"-" if part is None else b"%d:" % len(part))
        digest.update(part or b"")
    return digest.digest()


def folded(rows: Sequence[Row]) -> list[Fold]:
    """Fold what repeats: the same content, or the same record, which was replayed and died again."""
    folds: dict[int, Fold] = {}  # by the place of its first row, so in the order of the rows
    known: dict[bytes | Origin, int] = {}
    for at, row in enumerate(rows):
        homes = sorted({known[each] for each in (row.content, row.origin) if each in known})
        home = homes[0] if homes else at
        fold = folds.setdefault(home, Fold(row, []))
        fold.names.append(row.name)
        if len(homes) > 1:  # this one ties two together
            fold.names += folds.pop(homes[1]).names
            known.update({each: home for each, other in known.items() if other == homes[1]})
        known[row.content] = known[row.origin] = home
    return list(folds.values())


def newest(found: Iterable[Letter], limit: int) -> Newest:
    """Go through letters and keep the newest."""
    kept = Newest(limit)
    for each in found:
        kept.add(each)
    return kept
