"""Letters for unit tests, as they would be read from the dead-letter topic."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from agents.steps.report import letter_headers
from schemas.conclusion import Conclusion
from schemas.dead_letter import REPLAYS, DeadLetter, LetterName, read_letter
from schemas.decision import Decision, state_of
from schemas.record import Header, Stored
from streams.dead_letters.letter import Letter
from tests.unit.input_records import InputRecord, make_upsert

REPLAYS_MAX = 3
NAME = LetterName(0, 3)


def make_letter(
    name: LetterName = NAME,
    *,
    record: InputRecord | None = None,
    replays: int = 0,
    tail: Sequence[Header] = (),
) -> DeadLetter:
    """Build a letter; `tail` follows a letter's own headers, as where it was written anew."""
    record = record or make_upsert(key=b"u-1", plan="pro")
    headers = letter_headers(Conclusion(record, "dead", "rejected", "no"), group="g", failed_at="2026-11-22T10:00:00Z")
    own = [*headers[:-1], (REPLAYS, str(replays).encode())]
    letter = read_letter(Stored("customerio-dlq", *name, 0, record.key, record.value, [*own, *tail]))
    assert letter is not None
    return letter


def found_letter(
    name: LetterName, decision: Decision | None = None, *, replays: int = 0, origin: int | None = None
) -> Letter:
    """Build a letter with its decision, and the state that follows; its record stood where it does, or at `origin`."""
    state = state_of(decision, replays=replays, replays_max=REPLAYS_MAX)
    record = replace(make_upsert(key=b"u-1", plan="pro"), offset=name.offset if origin is None else origin)
    return Letter(letter=make_letter(name, record=record, replays=replays), decision=decision, state=state)


class FakeLetters:
    """Letters of several partitions; `started` keeps where each read began."""

    def __init__(self, letters: Iterable[Letter]) -> None:
        self._letters = list(letters)
        self.started: list[int | None] = []

    def partitions(self) -> list[int]:
        """Those that have letters."""
        return sorted({found.letter.name.partition for found in self._letters})

    def read(
        self,
        partition: int,
        *,
        start: int | None = None,
        end: int | None = None,
        decisions: Mapping[LetterName, Decision] | None = None,
    ) -> Iterator[Letter]:
        """Yield a partition's; with `decisions` these count."""
        self.started.append(start)
        for found in self._letters:
            name = found.letter.name
            if name.partition == partition and (start or 0) <= name.offset and (end is None or name.offset < end):
                decision = found.decision if decisions is None else decisions.get(name)
                yield replace(found, decision=decision)
