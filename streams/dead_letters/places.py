"""Where chosen letters of a partition lie, in the order in which they are replayed; a few bytes for each.

That is the order of their records on their topic: a letter that was replayed and died again lies behind younger ones,
and in that order a person's older data would come after newer. Letters of different topics stay as they lie.
"""

import heapq
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Final, Protocol

from schemas.dead_letter import DeadLetter, LetterName
from schemas.decision import Decision
from streams.dead_letters.batches import size_of
from streams.dead_letters.letter import Letter
from streams.dead_letters.letters import MovedError

WINDOW_LETTERS: Final = 2_000  # so many are in memory at a time,
WINDOW_BYTES: Final = 8_000_000  # or so much, and one letter
GAP_LETTERS: Final = 1_000  # what is not wanted between two that are is read up to here, then jumped over


class Readable(Protocol):
    """The dead letters as they are now; see `Letters`."""

    def partitions(self) -> list[int]: ...  # noqa: D102
    def read(  # noqa: D102
        self,
        partition: int,
        *,
        start: int | None = None,
        end: int | None = None,
        decisions: Mapping[LetterName, Decision] | None = None,
    ) -> Iterator[Letter]: ...


def _numbers() -> "array[int]":
    return array("q")


@dataclass(frozen=True, slots=True)
class Order:
    """The offsets at which letters lie, and their sizes in bytes, in the order in which they are replayed."""

    offsets: "array[int]" = field(default_factory=_numbers)
    sizes: "array[int]" = field(default_factory=_numbers)

    def letters(self, letters: Readable, partition: int, decisions: Mapping[LetterName, Decision]) -> Iterator[Letter]:
        """Yield them in this order, with these decisions.

        Raises:
            MovedError: one does not lie there any more; those before it were yielded.
        """
        for window in self._windows():
            wanted, found = set(window), dict[int, Letter]()
            for start, end in _stretches(sorted(wanted)):
                for each in letters.read(partition, start=start, end=end, decisions=decisions):
                    if each.letter.offset in wanted:
                        found[each.letter.offset] = each
            for offset in window:
                if offset not in found:
                    raise MovedError(partition)
                yield found.pop(offset)

    def _windows(self) -> Iterator[Sequence[int]]:
        first, size = 0, 0
        for behind, each in enumerate(self.sizes, start=1):
            size += each
            if behind - first == WINDOW_LETTERS or size >= WINDOW_BYTES or behind == len(self.sizes):
                yield self.offsets[first:behind]
                first, size = behind, 0


class Places:
    """Takes letters as they lie."""

    def __init__(self) -> None:
        self._of_topic: dict[str, _OfTopic] = {}

    def add(self, letter: DeadLetter) -> None:
        """Take one more."""
        self._of_topic.setdefault(letter.origin.topic, _OfTopic()).add(letter)

    def in_order(self, limit: int | None = None) -> Order:
        """Give the first so many in the order of their records: each topic's take the places that its letters have."""
        order = Order()
        for _, offset, size in islice(heapq.merge(*(each.in_order() for each in self._of_topic.values())), limit):
            order.offsets.append(offset)
            order.sizes.append(size)
        return order


@dataclass(slots=True)
class _OfTopic:
    offsets: "array[int]" = field(default_factory=_numbers)
    origins: "array[int]" = field(default_factory=_numbers)
    sizes: "array[int]" = field(default_factory=_numbers)

    def add(self, letter: DeadLetter) -> None:
        self.offsets.append(letter.offset)
        self.origins.append(letter.origin.offset)
        self.sizes.append(size_of(letter))

    def in_order(self) -> Iterator[tuple[int, int, int]]:
        """The place whose turn it is, where the letter lies that takes it, and its size."""
        is_in_order = all(one <= next_one for one, next_one in pairwise(self.origins))
        every = range(len(self.origins))
        by_record = every if is_in_order else sorted(every, key=self.origins.__getitem__)
        return ((place, self.offsets[at], self.sizes[at]) for place, at in zip(self.offsets, by_record, strict=True))


def _stretches(offsets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """From where to before where to read, so that all of these are read and little else."""
    start = last = offsets[0]
    for each in offsets[1:]:
        if each - last > GAP_LETTERS:
            yield start, last + 1
            start = each
        last = each
    yield start, last + 1
